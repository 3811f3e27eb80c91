//! The private virtual environment that ministack lives in.

use std::fs;
use std::io::ErrorKind::NotFound;
use std::path::{self, Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use super::lock::interrupted;
use super::ministack;
use super::places::Options;
use super::{process, python};
use crate::error::{Error, Result};
use crate::event::{Event, LocalStep, Reporter};
use crate::interrupt::Interrupt;

const CONSTRAINTS: &str = include_str!("constraints.txt");

/// The Python of the virtual environment, which is made when it is missing, was made only half, is of another
/// version, or has lost the Python it was made from. The caller holds the lock.
pub(super) async fn ensure(options: &Options, reporter: &dyn Reporter, interrupt: &Interrupt) -> Result<PathBuf> {
    let venv = options.venv();
    let python = venv.join("bin/python");
    // Written last: a virtual environment without it was interrupted.
    let marker = venv.join("rstack-complete");
    let contents = format!("{}\n{CONSTRAINTS}", ministack::requirement());
    if fs::read_to_string(&marker).is_ok_and(|text| text == contents) && python.exists() {
        return Ok(python);
    }
    let base = python::find(options.python.as_deref()).await?;
    // It is run from another folder. A bare name is looked for in PATH.
    let base = match base.components().count() {
        1 => base,
        _ => path::absolute(&base).map_err(|e| Error::file("find", base, e))?,
    };
    reporter.report(&Event::Local(LocalStep::Installing {
        package: ministack::requirement(),
    }));
    // What an earlier rstack began and was killed over still writes there.
    let dir = options.install_dir();
    process::end_all_in(&dir).await?;
    match fs::remove_dir_all(&venv) {
        Err(e) if e.kind() != NotFound => return Err(Error::file("remove", venv, e)),
        _ => {}
    }
    let mut make = Command::new(&base);
    make.args(["-m", "venv"]).arg(&venv);
    let run = async |command, failed| {
        let done = run(command, &dir, failed, reporter, interrupt).await;
        // Each step starts more processes, which outlive the one that is ended.
        if done.is_err() {
            process::end_all_in(&dir).await?;
        }
        done
    };
    run(make, "the virtual environment cannot be made").await?;
    let constraints = venv.join("constraints.txt");
    fs::write(&constraints, CONSTRAINTS).map_err(|e| Error::file("write", &constraints, e))?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
    ])
    .arg("--constraint")
    .arg(&constraints)
    .arg(ministack::requirement());
    run(pip, "pip cannot install the local AWS").await?;
    fs::write(&marker, contents).map_err(|e| Error::file("write", &marker, e))?;
    Ok(python)
}

/// Runs one step of the installation in `dir`, reporting its lines; it is ended when the user interrupts.
async fn run(
    mut command: Command,
    dir: &Path,
    failed: &str,
    reporter: &dyn Reporter,
    interrupt: &Interrupt,
) -> Result<()> {
    // What the user's own Python work sets would lead pip elsewhere; its index and proxy settings stay.
    for name in [
        "PYTHONHOME",
        "PYTHONPATH",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_USER",
        "PIP_REQUIRE_HASHES",
    ] {
        command.env_remove(name);
    }
    let program = command.as_std().get_program().to_owned();
    let mut child = command
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| Error::file("run", Path::new(&program), e))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Error::unexpected("the installation has no output"));
    };
    let work = async { tokio::join!(relay(stdout, reporter), relay(stderr, reporter), child.wait()) };
    let (_, complaints, status) = tokio::select! {
        ended = work => ended,
        () = interrupt.wait() => return Err(interrupted()),
    };
    let status = status.map_err(|e| Error::file("wait for", Path::new(&program), e))?;
    if status.success() {
        return Ok(());
    }
    // Of several, the first says most.
    let complaint = complaints
        .iter()
        .find_map(|line| line.strip_prefix("ERROR: "))
        .or(complaints.last().map(String::as_str));
    let complaint = complaint.map_or_else(|| status.to_string(), str::to_owned);
    Err(Error::local(format!("{failed}: {complaint}")).with_hint(
        "it comes from the Python package index: check the network and the proxy (HTTPS_PROXY), or name your own index \
         with PIP_INDEX_URL, and run the same command again",
    ))
}

/// Reports every line and returns them.
async fn relay(stream: impl AsyncRead + Unpin, reporter: &dyn Reporter) -> Vec<String> {
    let mut lines = BufReader::new(stream).lines();
    let mut all = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        reporter.report(&Event::Local(LocalStep::InstallOutput { line: line.clone() }));
        all.push(line);
    }
    all
}
