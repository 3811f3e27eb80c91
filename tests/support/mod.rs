//! What the tests share.
//!
//! | for | use |
//! |---|---|
//! | running the binary | [`Rstack`]: `Rstack::new().args(["template"]).run()` |
//! | an environment of the local AWS, and a folder | [`Workspace`] |
//! | the real local AWS, one for all tests of this run | [`local::shared`] and [`local::unique`] names |
//! | one of its own, for a test that kills or stops servers | [`local::LocalAws::own`] |
//! | a Redis of one's own | [`redis::Redis`] |
//! | faults between the binary and real servers | [`microburst::Microburst`] |
//! | answers that no emulator gives | [`scripted`] |
//! | what goes over the wire between the binary and a server | [`tap::Tap`] |
//! | Python packages (cfn-lint, boto3, moto, Django) | [`python::venv`] |
//!
//! A snapshot holds exit code, stdout and stderr together, with everything that changes from run to run filtered out:
//! `insta::assert_snapshot!(output, @"")`, then `cargo insta accept` or paste what it shows.

pub(crate) mod environment;
pub(crate) mod local;
pub(crate) mod microburst;
mod output;
pub(crate) mod python;
pub(crate) mod redis;
mod rstack;
mod running;
pub(crate) mod scripted;
pub(crate) mod tap;
pub(crate) mod terminal;
mod workspace;

use std::path::PathBuf;

pub(crate) use output::Output;
pub(crate) use rstack::Rstack;
pub(crate) use running::Running;
pub(crate) use rustix::process::Signal;
pub(crate) use workspace::Workspace;

/// Runs async code of the library or of an SDK in a plain test.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// Where things that outlive a run are kept: below `target/`.
fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}
