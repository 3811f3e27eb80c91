//! Python packages for tests, each list in a virtual environment that is made once and kept below `target/`.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::{Command, Output};

use super::cache;

pub(crate) struct Venv {
    dir: PathBuf,
}

/// The virtual environment that holds exactly these: `venv(&["boto3==1.43.11", "redis==7.1.0"])`. Pin versions.
pub(crate) fn venv(requirements: &[&str]) -> Venv {
    let mut hasher = DefaultHasher::new();
    requirements.hash(&mut hasher);
    let dir = cache().join("venvs").join(format!("{:016x}", hasher.finish()));
    fs::create_dir_all(&dir).expect("a folder");
    // Tests run at once, in threads and in processes; the system unlocks when the file is closed.
    let lock = File::create(dir.join("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    let complete = dir.join("complete");
    if !complete.exists() {
        let _ = fs::remove_dir_all(dir.join("venv"));
        let python = std::env::var_os("RSTACK_PYTHON").unwrap_or_else(|| "python3".into());
        run(Command::new(python).args(["-m", "venv"]).arg(dir.join("venv")));
        if !requirements.is_empty() {
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
            run(Command::new(dir.join("venv/bin/python")).args(pip).args(requirements));
        }
        fs::write(complete, requirements.join("\n")).expect("a marker");
    }
    Venv { dir: dir.join("venv") }
}

impl Venv {
    /// A program of the virtual environment: `command("cfn-lint")`, `command("python")`.
    pub(crate) fn command(&self, program: &str) -> Command {
        Command::new(self.dir.join("bin").join(program))
    }

    /// Where the packages are: `site_packages().join("django")`.
    pub(crate) fn site_packages(&self) -> PathBuf {
        let lib = fs::read_dir(self.dir.join("lib"))
            .expect("lib")
            .next()
            .expect("one Python")
            .expect("readable");
        lib.path().join("site-packages")
    }

    /// Runs a script with these variables added to the environment and returns what it printed.
    #[track_caller]
    pub(crate) fn python(&self, script: &str, variables: &[(String, String)]) -> String {
        let output = run(self
            .command("python")
            .args(["-c", script])
            .envs(variables.iter().cloned()));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

#[track_caller]
fn run(command: &mut Command) -> Output {
    let output = command.output().expect("it starts");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{command:?} failed: {}\n{stdout}\n{stderr}",
        output.status
    );
    output
}
