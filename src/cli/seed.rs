//! `rstack seed`.

mod bytecode;
mod publishing;
mod warnings;
pub(super) mod words;

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use rstack::publish::{Area, Tree};
use rstack::stack::describe;
use rstack::store::StoreKind;
use rstack::{ErrorKind, Outcome, Result};

use self::bytecode::CompileOption;
pub(crate) use self::publishing::{Seed, SeedReport};
pub(crate) use self::warnings::{warn, warn_of};
use super::Context;
use super::authorship::{Authorship, Signing};
use super::plain::PlainOption;
use super::redis::RedisOption;

/// Publish a directory to the stores, or the demo scripts when none is given
///
/// Makes a release: S3 and DynamoDB get what is new, then the area's marker in DynamoDB moves to the release, and Redis
/// follows. Until the marker moves nothing changes for readers. The same content makes no second release.
///
/// A directory of up to 16 MiB is also written as plain files, for people and other tools: to every store under the key
/// AREA/PATH, and read back. Only what changed is sent; what the last seed of the area put there and the directory no
/// longer has is removed. `.gitignore` and `.rstackignore` are honoured; `.git` and `__pycache__` are left out.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The directory [default: `seed: {path: …}` in rstack.yaml, else the demo scripts]
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    compile: CompileOption,
    /// Only show what would be sent and removed
    #[arg(long)]
    dry_run: bool,
}

/// Where to publish.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Options {
    /// Area to publish to [default: main]
    #[arg(long, value_name = "AREA")]
    area: Option<Area>,
    #[command(flatten)]
    authorship: Authorship,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    plain: PlainOption,
    /// Only these stores (repeatable, or with commas); a release takes s3 and dynamodb, otherwise only plain files are
    /// written
    #[arg(long = "store", value_name = "STORE", value_enum, value_delimiter = ',')]
    stores: Vec<StoreName>,
    #[command(flatten)]
    redis: RedisOption,
}

const AFTER_HELP: &str = "\
stdout: what was done, one line a store.

The environment's Redis is reached from inside its VPC only. From elsewhere open a tunnel and name its near end with \
`--redis-url`; over TLS (`rediss://`) the certificate must still be the environment's. The password comes from the \
URL, RSTACK_REDIS_PASSWORD, or the secret that the environment keeps it in.

Exit codes: 0 all is there; 1 there is no release, and nothing has changed for readers; 3 there is one, but a store \
lags, or plain files are not complete; 130 interrupted. Run the same command again to complete it.

Examples:
  rstack seed -n demo                           the demo scripts
  rstack seed -n demo src --area prod -m \"why\"   a directory, as a release of `prod`
  rstack seed -n demo src --compile=python3.12      with bytecode for Python 3.12
  rstack seed -n demo src --store s3,dynamodb --dry-run";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StoreName {
    S3,
    #[value(name = "dynamodb")]
    DynamoDb,
    Redis,
}

impl From<StoreName> for StoreKind {
    fn from(name: StoreName) -> Self {
        match name {
            StoreName::S3 => Self::S3,
            StoreName::DynamoDb => Self::DynamoDb,
            StoreName::Redis => Self::Redis,
        }
    }
}

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let area = self.options.area(context)?;
        self.options.redis.given()?;
        let signer = self.options.signing.key(context)?;
        let name = context.settings.require_name()?;
        // First what can be wrong on this machine.
        let interpreters = self.compile.interpreters().await?;
        let tree = read(context, self.dir).await?;
        let (tree, bytecode) = bytecode::compile(context, tree, &interpreters).await?;
        let aws = context.aws().await?;
        let found = context.until_interrupted(describe(&aws, name.as_str())).await?;
        let stack = found.ok_or_else(|| context.no_environment(name, &aws))?;
        let seed = Seed {
            aws: &aws,
            stack: &stack,
            tree: &tree,
            area: &area,
            options: &self.options,
            signer: signer.as_ref(),
            dry_run: self.dry_run,
        };
        let report = SeedReport {
            bytecode,
            ..Box::pin(seed.run(context)).await?
        };
        warn(context, &report);
        let outcome = report.outcome();
        context
            .ui
            .finish("seed", &report, outcome, |style| words::of(&report, style));
        Ok(outcome)
    }
}

impl Options {
    /// What is configured, signed as told.
    pub(crate) fn signed(signing: Signing) -> Self {
        Self {
            signing,
            ..Self::default()
        }
    }

    /// The area given, or configured, or `main`.
    pub(crate) fn area(&self, context: &Context<'_>) -> Result<Area> {
        self.area.clone().map_or_else(|| context.area(), Ok)
    }

    fn wants(&self, kind: StoreKind) -> bool {
        self.stores.is_empty() || self.stores.iter().any(|name| StoreKind::from(*name) == kind)
    }
}

/// Reads the directory given, or configured; the demo scripts otherwise.
pub(crate) async fn read(context: &Context<'_>, dir: Option<PathBuf>) -> Result<Tree> {
    let configured = context.settings.config.seed.path.as_ref();
    match dir.as_ref().or(configured) {
        Some(path) => Box::pin(Tree::read(path, context.ui, &context.interrupt))
            .await
            .map_err(|error| match *error.kind {
                ErrorKind::Usage(_) if dir.is_none() => error.with_hint("`seed.path` in rstack.yaml names it"),
                _ => error,
            }),
        None => Ok(Tree::demo()),
    }
}
