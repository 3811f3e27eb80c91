//! One process that compiles script after script.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::Interpreter;
use crate::error::{Error, Result};

const SCRIPT: &str = include_str!("worker.py");

/// What became of one script.
pub(super) enum Answer {
    /// The bytecode file.
    Bytecode(Vec<u8>),
    /// Why this Python cannot compile it.
    Uncompilable(String),
}

pub(super) struct Worker {
    command: String,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts it in `folder`, where nothing is that it could import by accident.
    pub(super) fn start(interpreter: &Interpreter, folder: &Path) -> Result<Self> {
        let command = interpreter.command.display().to_string();
        let mut starting = Command::new(&interpreter.command);
        // Sets have the order of their hashes, so these are fixed; that is a variable, so `-I` is not for us.
        for variable in std::env::vars_os().map(|(name, _)| name) {
            if variable.as_encoded_bytes().starts_with(b"PYTHON") {
                starting.env_remove(variable);
            }
        }
        let mut process = starting
            .env("PYTHONHASHSEED", "0")
            .args(["-s", "-S", "-B", "-W", "ignore", "-c", SCRIPT])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::file("run", &interpreter.command, error))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Error::unexpected(format!(
                "`{command}` has no standard input or output"
            )));
        };
        Ok(Self {
            command,
            process,
            input,
            output: BufReader::new(output),
        })
    }

    pub(super) async fn compile(&mut self, path: &str, source: &[u8]) -> Result<Answer> {
        match self.exchange(path, source).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                // It has closed its end: it is about to be gone, and says how.
                let status = self.process.wait().await;
                let status = status.map_or_else(|_| error.to_string(), |status| status.to_string());
                Err(Error::refused(format!(
                    "`{}` broke off while it compiled `{path}`: {status}",
                    self.command
                ))
                .with_hint("publish without `--compile`, or leave this file out with `.rstackignore`"))
            }
        }
    }

    async fn exchange(&mut self, path: &str, source: &[u8]) -> std::io::Result<Answer> {
        let mut request = Vec::with_capacity(16 + path.len() + source.len());
        request.extend((path.len() as u64).to_le_bytes());
        request.extend((source.len() as u64).to_le_bytes());
        request.extend(path.as_bytes());
        request.extend(source);
        self.input.write_all(&request).await?;
        let kind = self.output.read_u8().await?;
        let length = self.output.read_u64_le().await?;
        let mut answer = vec![0; usize::try_from(length).map_err(std::io::Error::other)?];
        self.output.read_exact(&mut answer).await?;
        Ok(match kind {
            b'C' => Answer::Bytecode(answer),
            _ => Answer::Uncompilable(String::from_utf8_lossy(&answer).into_owned()),
        })
    }
}
