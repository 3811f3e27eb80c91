//! The real local AWS for tests: one that all of them share, and others of their own.
//!
//! `cargo test` has no end that a test could hook into. So each local AWS has a shell beside it that waits until the
//! pipe from the test process closes (also when that process is killed), then stops the servers and deletes their
//! folder.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use rstack::aws::{Access, Aws};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{Output, Rstack, cache};

/// A running local AWS. Dropping it stops it.
pub(crate) struct LocalAws {
    home: TempDir,
    variables: Vec<(String, String)>,
    /// Stops the servers once its stdin closes.
    watchdog: Child,
}

/// The one for all tests of this run. They use it until they end, so that `down` of the last environment of a test does
/// not stop it for the others. Its Redis is shared as well: never flush it.
pub(crate) fn shared() -> &'static LocalAws {
    static SHARED: OnceLock<(LocalAws, File)> = OnceLock::new();
    let (local, _) = SHARED.get_or_init(|| {
        let local = LocalAws::own();
        let in_use = local.in_use();
        in_use.lock_shared().expect("nobody stops it");
        (local, in_use)
    });
    local
}

/// An environment name that no other test has.
pub(crate) fn unique(what: &str) -> String {
    // Always three digits: the width of a name is the width of a column.
    static NEXT: AtomicU32 = AtomicU32::new(100);
    format!("{what}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl LocalAws {
    /// A new one.
    pub(crate) fn own() -> Self {
        let mut local = Self::stopped();
        local.start();
        local
    }

    /// The folder of a new one, ready to be started without installing anything.
    pub(crate) fn stopped() -> Self {
        let local = Self::bare();
        let inside = local.home().join("local");
        std::fs::create_dir(&inside).expect("a new folder");
        symlink(installed(), inside.join("venv")).expect("a link");
        local
    }

    /// The folder of a new one with nothing in it.
    pub(crate) fn bare() -> Self {
        let home = TempDir::new().expect("a temporary folder");
        let script =
            "cat; until \"$1\" local stop --yes || [ $((tries += 1)) = 5 ]; do sleep 1; done; rm -rf \"$RSTACK_HOME\"";
        let watchdog = Command::new("sh")
            .args(["-c", script, "sh", env!("CARGO_BIN_EXE_rstack")])
            .env("RSTACK_HOME", home.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        Self {
            home,
            variables: Vec::new(),
            watchdog,
        }
    }

    /// Starts it, and learns where it listens.
    pub(crate) fn start(&mut self) {
        let variables = self.rstack(["local", "env", "--format", "json"]).run().expect(0).json();
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let variables = variables.as_object().expect("an object").iter();
        self.variables = variables.map(|(name, value)| (name.clone(), text(value))).collect();
    }

    /// The file of which every command that uses it holds a shared lock, and one that may stop it an exclusive one.
    pub(crate) fn in_use(&self) -> File {
        let path = self.home().join("local/in-use");
        let file = File::options().create(true).truncate(false).write(true).open(path);
        file.expect("a file")
    }

    /// `RSTACK_HOME`.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A call of the binary with `--local` in this one.
    pub(crate) fn rstack<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Rstack {
        Rstack::new()
            .env("RSTACK_HOME", self.home())
            .env("RSTACK_LOCAL", "1")
            .hide(self.home().display().to_string(), "[RSTACK_HOME]")
            .args(args)
    }

    /// As [`LocalAws::rstack`], run to its end, which has to be exit code 0.
    #[track_caller]
    pub(crate) fn done<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        self.rstack(args).run().expect(0)
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.variable("AWS_ENDPOINT_URL")
    }

    pub(crate) fn redis_url(&self) -> &str {
        self.variable("REDIS_URL")
    }

    /// What boto3 and other tools need.
    pub(crate) fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// Clients, to look at what the binary did.
    pub(crate) async fn aws(&self) -> Aws {
        self.aws_in(self.variable("AWS_REGION")).await
    }

    pub(crate) async fn aws_in(&self, region: &str) -> Aws {
        let access = Access {
            region: Some(region.to_owned()),
            endpoint_url: Some(self.endpoint().to_owned()),
            credentials: Some(("test".to_owned(), "test".to_owned())),
            ..Access::default()
        };
        Aws::connect(&access).await.expect("the region is given")
    }

    /// The process id of "redis" or "aws".
    pub(crate) fn pid(&self, server: &str) -> Pid {
        let state = std::fs::read(self.home().join("local/state.json")).expect("it is running");
        let state: serde_json::Value = serde_json::from_slice(&state).expect("JSON");
        let pid = state[server]["pid"].as_i64().expect("a process id");
        i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id")
    }

    /// Kills one of its servers, and waits until it is gone.
    pub(crate) fn kill(&self, server: &str) {
        let pid = self.pid(server);
        kill_process(pid, Signal::KILL).expect("it runs");
        while self.processes().contains(&pid) {
            sleep(Duration::from_millis(5));
        }
    }

    /// The processes that run in its folder, told by the system.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        let home = self.home().canonicalize().expect("it exists");
        let numbers = std::fs::read_dir("/proc").expect("Linux").filter_map(|entry| {
            let number = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let dir = std::fs::read_link(format!("/proc/{number}/cwd")).ok()?;
            dir.starts_with(&home).then_some(number)
        });
        numbers.filter_map(Pid::from_raw).collect()
    }

    /// The smallest stack there is, made without rstack.
    pub(crate) async fn make_stack(&self, region: &str, name: &str) {
        let template = r#"{"Resources":{"Handle":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}"#;
        let aws = self.aws_in(region).await;
        let request = aws
            .cloudformation()
            .create_stack()
            .stack_name(name)
            .template_body(template);
        request.send().await.expect("a stack");
    }

    fn variable(&self, name: &str) -> &str {
        let found = self.variables.iter().find(|(key, _)| key == name);
        &found.expect("it was started").1
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// The virtual environment of the local AWS, made by the first run and kept below `target/`.
fn installed() -> std::path::PathBuf {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    let home = cache().join("rstack-home");
    INSTALLED.get_or_init(|| {
        for action in ["start", "stop"] {
            let call = Rstack::new().env("RSTACK_HOME", &home).args(["local", action]);
            with_pip(call).run().expect(0);
        }
    });
    home.join("local/venv")
}

/// With what pip needs on this machine to reach its index, and with its downloads kept below `target/`.
pub(crate) fn with_pip(call: Rstack) -> Rstack {
    let wanted = |name: &str| {
        name.starts_with("PIP_") || name.starts_with("SSL_CERT") || name.eq_ignore_ascii_case("https_proxy")
    };
    let variables = std::env::vars_os().filter(|(name, _)| wanted(&name.to_string_lossy()));
    let call = variables.fold(call, |call, (name, value)| call.env(name, value));
    call.env("PIP_CACHE_DIR", cache().join("pip"))
}
