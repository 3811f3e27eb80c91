//! The processes of the local AWS: known by the folder they run in, so that a recycled process id is never mistaken.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::error::{Error, Result};

pub(super) use platform::{all_in, resident_bytes, runs_in};

/// ministack waits for its worker threads when asked to end, some of them for half a minute.
const GRACE: Duration = Duration::from_secs(5);

/// Ends every server that runs in `dir`: first asks, then insists.
///
/// # Errors
/// When one is still there afterwards.
pub(super) async fn end_all_in(dir: &Path) -> Result<()> {
    for (signal, patience) in [(Signal::TERM, GRACE), (Signal::KILL, GRACE)] {
        for pid in all_in(dir) {
            send(pid, signal);
        }
        let deadline = Instant::now() + patience;
        while !all_in(dir).is_empty() && Instant::now() < deadline {
            sleep(Duration::from_millis(10)).await;
        }
    }
    match all_in(dir).as_slice() {
        [] => Ok(()),
        left => {
            let left: Vec<String> = left.iter().map(u32::to_string).collect();
            Err(Error::local(format!("these processes do not end: {}", left.join(", ")))
                .with_hint(format!("end them with `kill -9 {}`", left.join(" "))))
        }
    }
}

/// Ends one server in `dir` that does not answer any more, without asking: it would not hear.
pub(super) async fn kill_in(dir: &Path, pid: u32) {
    if runs_in(pid, dir) {
        send(pid, Signal::KILL);
    }
    let deadline = Instant::now() + GRACE;
    while runs_in(pid, dir) && Instant::now() < deadline {
        sleep(Duration::from_millis(10)).await;
    }
}

/// A process that is gone already is what the signal was for.
fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// A shell that someone opened in the folder is not a server.
#[cfg(target_os = "linux")]
fn is_server(command: &str) -> bool {
    ["python", "ministack", "redis", "valkey"]
        .iter()
        .any(|name| command.contains(name))
}

#[cfg(target_os = "linux")]
mod platform {
    use std::fs;
    use std::path::Path;

    /// The servers that run in `dir`. One that has ended, but was not waited for by its parent, has no folder.
    pub(in crate::local) fn all_in(dir: &Path) -> Vec<u32> {
        let Ok(entries) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| runs_in(*pid, dir))
            .collect()
    }

    /// Whether `pid` is a living server in `dir`, also when the folder itself was deleted.
    pub(in crate::local) fn runs_in(pid: u32, dir: &Path) -> bool {
        let Ok(current) = fs::read_link(format!("/proc/{pid}/cwd")) else {
            return false;
        };
        let mut deleted = dir.as_os_str().to_owned();
        deleted.push(" (deleted)");
        (current == dir || current.as_os_str() == deleted)
            && fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|command| super::is_server(&command))
    }

    /// Memory in use, in bytes.
    pub(in crate::local) fn resident_bytes(pid: u32) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::path::Path;
    use std::process::Command;

    /// The servers that run in `dir`.
    pub(in crate::local) fn all_in(dir: &Path) -> Vec<u32> {
        let servers = "/python|redis|valkey/i";
        let Ok(output) = Command::new("lsof")
            .args(["-t", "-a", "-d", "cwd", "-c", servers, "--"])
            .arg(dir)
            .output()
        else {
            return Vec::new();
        };
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|pid| pid.parse().ok())
            .collect()
    }

    /// Whether `pid` is a living server in `dir`.
    pub(in crate::local) fn runs_in(pid: u32, dir: &Path) -> bool {
        all_in(dir).contains(&pid)
    }

    /// Memory in use, in bytes.
    pub(in crate::local) fn resident_bytes(pid: u32) -> Option<u64> {
        let output = Command::new("ps")
            .args(["-o", "rss=", "-p", &pid.to_string()])
            .output()
            .ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().parse::<u64>().ok()? * 1024)
    }
}
