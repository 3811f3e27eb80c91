//! Logs for `RSTACK_LOG`, on stderr.

use std::io;

use rstack::{Error, Result};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Turns on the logs that `RSTACK_LOG` asks for ("debug", "trace"); none by default.
///
/// The AWS SDK and the HTTP client log requests, headers and bodies, and with them tokens, from `debug` on. They are
/// heard only up to `info`, whatever is asked for.
pub(crate) fn start() -> Result<()> {
    let Some(asked) = std::env::var("RSTACK_LOG").ok().filter(|level| !level.is_empty()) else {
        return Ok(());
    };
    let level: LevelFilter = asked.parse().map_err(|_| {
        Error::configuration(format!("RSTACK_LOG is {asked:?}"))
            .with_hint("use one of `error`, `warn`, `info`, `debug`, `trace`")
    })?;
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_target("rstack", level);
    tracing_subscriber::registry()
        .with(
            tracing_subscriber::fmt::layer()
                .with_writer(io::stderr)
                .with_ansi(false),
        )
        .with(targets)
        .try_init()
        .map_err(|e| Error::unexpected(format!("logs cannot be started: {e}")))
}
