//! `rstack local logs`.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use rstack::{Error, Outcome, Result};
use serde_json::json;
use tokio::time::sleep;

use crate::cli::Context;

/// How often a followed log is looked at.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(super) struct Logs {
    /// Go on printing what is added, until interrupted
    #[arg(short, long)]
    follow: bool,
    /// The log of Redis instead of that of the AWS
    #[arg(long)]
    redis: bool,
}

impl Logs {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let options = &context.settings.local;
        let path = if self.redis {
            options.redis_log()
        } else {
            options.aws_log()
        };
        let mut read = 0;
        loop {
            let (text, end) = added(&path, read).map_err(|e| match e.kind() {
                ErrorKind::NotFound => Error::local("the local AWS was never started, so there is no log")
                    .with_hint("start it with `rstack local start`"),
                _ => Error::file("read", &path, e),
            })?;
            read = end;
            for line in text.split_inclusive('\n') {
                context
                    .ui
                    .data("log", &json!({ "line": line.trim_end() }), |_| line.to_owned());
            }
            if !self.follow || context.ui.reader_left() {
                break;
            }
            tokio::select! {
                () = sleep(LOOK) => {}
                // How following is meant to end.
                () = context.interrupt.wait() => break,
            }
        }
        context
            .ui
            .finish("local logs", &json!({ "path": path }), Outcome::Done, |_| String::new());
        Ok(Outcome::Done)
    }
}

/// The whole lines from `start` on, and where they end; from the beginning again when the log was made anew.
fn added(path: &Path, start: u64) -> std::io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let start = if file.metadata()?.len() < start { 0 } else { start };
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |last| last + 1);
    Ok((
        String::from_utf8_lossy(&bytes[..whole]).into_owned(),
        start + whole as u64,
    ))
}
