//! Finding interpreters.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use futures_util::future::join_all;
use tokio::process::Command;

use crate::error::{Error, Result};

/// Looked for in PATH when none is named.
const CANDIDATES: [&str; 8] = [
    "python3",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "python3.13t",
    "python3.14t",
];
const SAY: &str = "import sys; \
                   print(sys.implementation.cache_tag, '%d.%d.%d' % sys.version_info[:3], sys.version_info >= (3, 10))";

/// A Python whose bytecode is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    pub command: PathBuf,
    /// What its bytecode files are named by, such as `cpython-311`.
    pub tag: String,
    /// Such as 3.11.7.
    pub version: String,
}

impl Interpreter {
    /// Those named, or those that PATH has; one of each kind of bytecode.
    ///
    /// # Errors
    /// Usage when one that is named does not run or is older than 3.10, or when none is named and PATH has none.
    pub async fn find(named: &[String]) -> Result<Vec<Self>> {
        let candidates: Vec<&str> = match named {
            [] => CANDIDATES.to_vec(),
            named => named.iter().map(String::as_str).collect(),
        };
        let mut found: Vec<Self> = Vec::new();
        for (command, asked) in candidates
            .iter()
            .zip(join_all(candidates.iter().map(|name| ask(name))).await)
        {
            match asked {
                Ok(interpreter) if found.iter().all(|other| other.tag != interpreter.tag) => found.push(interpreter),
                Ok(_) => {}
                Err(_) if named.is_empty() => {}
                Err(why) => {
                    return Err(Error::usage(format!("`{command}` cannot compile: {why}")).with_hint(
                        "name interpreters of Python 3.10 or newer, such as `--compile=python3.11,python3.12`",
                    ));
                }
            }
        }
        if found.is_empty() {
            return Err(Error::usage("there is no Python 3.10 or newer in PATH to compile with")
                .with_hint("name one: `--compile=/usr/bin/python3.11`"));
        }
        found.sort_by(|a, b| a.tag.cmp(&b.tag));
        Ok(found)
    }
}

/// What is no name to be looked for in PATH means the same in every folder.
fn absolute(command: &str) -> PathBuf {
    let path = Path::new(command);
    if command.contains('/') {
        return std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    }
    path.to_owned()
}

async fn ask(command: &str) -> Result<Interpreter, String> {
    let output = Command::new(command)
        .args(["-I", "-S", "-c", SAY])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| format!("it does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        [_, version, "False"] => Err(format!("it is Python {version}")),
        ["None", ..] => Err("it keeps no bytecode".to_owned()),
        [tag, version, "True"] => Ok(Interpreter {
            command: absolute(command),
            tag: (*tag).to_owned(),
            version: (*version).to_owned(),
        }),
        _ => Err(format!("it did not say which Python it is ({})", output.status)),
    }
}
