//! Importing the scripts with Python, store by store.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use rstack::publish::Area;
use rstack::stack::Endpoints;
use rstack::store::StoreKind;
use rstack::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::cli::Context;
use crate::cli::run::{Handover, Interpreter};

/// What Python says of it, as one JSON object.
const PROGRAM: &str = "
import json, sys, time
started = time.perf_counter()
from foo.bar.module3 import multiply
import foo.module1, foo.module2, foo.bar.module4
print(json.dumps({
    'modules': len([name for name in sys.modules if name.split('.')[0] == 'foo']),
    'seconds': time.perf_counter() - started,
    'product': multiply(6, 7),
    'file': multiply.__code__.co_filename,
}))
";
const PYTHON: &str = "python3";

/// What a fresh Python imported from one store.
#[derive(Debug, Serialize)]
pub(super) struct Imported {
    pub(super) store: StoreKind,
    #[serde(flatten)]
    pub(super) found: Found,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) modules: usize,
    /// With opening the store.
    pub(super) seconds: f64,
    pub(super) product: u64,
    pub(super) file: String,
}

/// Where the package keeps its `sitecustomize`; none when `python3` has no package.
pub(super) async fn site(context: &Context<'_>) -> Result<Option<PathBuf>> {
    let Ok(interpreter) = Interpreter::of(PYTHON.as_ref(), &[]) else {
        return Ok(None);
    };
    match context.until_interrupted(interpreter.site()).await {
        Ok(site) => Ok(Some(site)),
        Err(error) if matches!(*error.kind, ErrorKind::Interrupted(_)) => Err(error),
        Err(_) => Ok(None),
    }
}

/// Imports the demo scripts from each store in a Python of its own, with nothing kept on this machine.
pub(super) async fn import(context: &Context<'_>, endpoints: &Endpoints, site: &Path) -> Result<Vec<Imported>> {
    let area = Area::default();
    let redis = &endpoints.redis;
    let sources = [
        (StoreKind::S3, format!("s3://{}/{area}", endpoints.bucket)),
        (StoreKind::DynamoDb, format!("dynamodb://{}/{area}", endpoints.table)),
        (
            StoreKind::Redis,
            format!("redis://{}:{}/{area}", redis.address, redis.port),
        ),
    ];
    let mut imports = Vec::new();
    for (store, source) in sources {
        let handover = Handover {
            source,
            requested: None,
            only: &["foo".to_owned()],
            materialise: false,
            site,
        };
        let variables = handover.variables(&context.settings)?;
        let running = Command::new(PYTHON)
            .args(["-c", PROGRAM])
            .envs(variables)
            .env("RSTACK_HOME", &context.settings.home)
            .env("RSTACK_CACHE", "off")
            // As for the tour itself, what is configured for other environments does not matter.
            .env_remove("RSTACK_CONFIG")
            .env_remove("RSTACK_TRUSTED_KEYS")
            .env_remove("RSTACK_REQUESTED")
            .current_dir(&context.settings.home)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = context
            .until_interrupted(async { running.await.map_err(|error| Error::file("run", PYTHON, error)) })
            .await?;
        let found = serde_json::from_slice(&output.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().last().unwrap_or("nothing").to_owned();
            Error::unexpected(format!("`{PYTHON}` does not import `foo` from {store}: {last}"))
        })?;
        imports.push(Imported { store, found });
    }
    Ok(imports)
}
