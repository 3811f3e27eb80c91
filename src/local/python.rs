//! Finding a Python that can make virtual environments.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::error::{Error, Result};

const OLDEST: (u16, u16) = (3, 10);
const INSTALL: &str = "install Python 3.10 or newer with venv: `apt-get install python3 python3-venv`, \
                       `dnf install python3` or `brew install python3`; or name one with RSTACK_PYTHON";
const CANDIDATES: [&str; 7] = [
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python",
];

/// Why a Python will not do, from bad to nearly good.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unfit {
    Missing,
    TooOld(String),
    NoVenv(String),
}

/// The first Python of PATH that is new enough and has `venv` and `ensurepip`.
///
/// # Errors
/// When there is none: what is missing, and what to install.
pub(super) async fn find(named: Option<&Path>) -> Result<PathBuf> {
    let candidates: Vec<PathBuf> = match named {
        Some(python) => vec![python.to_owned()],
        None => CANDIDATES.iter().map(PathBuf::from).collect(),
    };
    let mut nearest = Unfit::Missing;
    for python in candidates {
        match probe(&python).await {
            Ok(()) => return Ok(python),
            Err(unfit) => nearest = nearest.max(unfit),
        }
    }
    let error = match nearest {
        Unfit::Missing => match named {
            Some(python) => format!("RSTACK_PYTHON names `{}`, which does not run", python.display()),
            None => "the local AWS needs Python, and there is none in PATH".to_owned(),
        },
        Unfit::TooOld(version) => format!("the local AWS needs Python 3.10 or newer; this is Python {version}"),
        Unfit::NoVenv(version) => {
            format!("Python {version} is here, but cannot make virtual environments: `venv` or `ensurepip` is missing")
        }
    };
    Err(Error::local(error).with_hint(INSTALL))
}

async fn probe(python: &Path) -> Result<(), Unfit> {
    let script = "import sys; print('%d.%d' % sys.version_info[:2]); import venv, ensurepip; print('venv')";
    let output = Command::new(python)
        .args(["-c", script])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|_| Unfit::Missing)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let version = lines.next().unwrap_or_default().to_owned();
    let Some(numbers) = numbers(&version) else {
        return Err(Unfit::Missing);
    };
    if numbers < OLDEST {
        return Err(Unfit::TooOld(version));
    }
    if lines.next() == Some("venv") {
        Ok(())
    } else {
        Err(Unfit::NoVenv(version))
    }
}

/// "3.11" as (3, 11).
fn numbers(version: &str) -> Option<(u16, u16)> {
    let (major, minor) = version.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(numbers("3.9").unwrap() < OLDEST);
        assert!(numbers("3.10").unwrap() >= OLDEST);
        assert!(numbers("4.0").unwrap() >= OLDEST);
        assert_eq!(numbers("pyenv: python3: command not found"), None);
    }

    #[test]
    fn the_nearest_miss_is_told() {
        assert!(Unfit::Missing < Unfit::TooOld("3.9".into()));
        assert!(Unfit::TooOld("3.9".into()) < Unfit::NoVenv("3.10".into()));
    }
}
