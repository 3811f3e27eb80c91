//! `rstack seed`.

mod redis;
pub(super) mod words;

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use rstack::aws::Aws;
use rstack::event::{Event, Reporter as _};
use rstack::publish::{Area, Publish, Report, StoreReport, StoreState, Tree, publish};
use rstack::stack::{Endpoints, Readiness, Stack, describe};
use rstack::store::{DynamoDbStore, RedisAddress, S3Store, Store, StoreError, StoreKind};
use rstack::{Error, ErrorKind, Outcome, Result};

use super::Context;
use super::shell::{command_line, quote};

/// Publish a directory to the stores, or the demo scripts when none is given
///
/// Every file goes to S3 and DynamoDB, then to Redis, under the key AREA/PATH, and is read back. Only what changed is
/// sent; what the last seed of the area put there and the directory no longer has is removed. `.gitignore` and
/// `.rstackignore` are honoured; `.git` and `__pycache__` are left out.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The directory [default: `seed: {path: …}` in rstack.yaml, else the demo scripts]
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
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
    /// Only these stores (repeatable, or with commas)
    #[arg(long = "store", value_name = "STORE", value_enum, value_delimiter = ',')]
    stores: Vec<StoreName>,
    /// Redis to use instead of the environment's address, such as the near end of a tunnel
    // Not parsed by clap, whose error would repeat a password.
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,
}

const AFTER_HELP: &str = "\
stdout: what was done, one line a store.

The environment's Redis is reached from inside its VPC only. From elsewhere open a tunnel and name its near end with
`--redis-url`; over TLS (`rediss://`) the certificate must still be the environment's. The password comes from the URL,
RSTACK_REDIS_PASSWORD, or the secret that the environment keeps it in.

Exit codes: 0 all is there; 3 a store could not be reached or failed, or a file is too large for one; 130 interrupted.
Run the same command again to complete it: what is there is not sent twice.

Examples:
  rstack seed -n demo                           the demo scripts
  rstack seed -n demo src --area home/me        a directory, to an area of one's own
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
        self.options.redis()?;
        let name = context.settings.require_name()?;
        // First what can be wrong on this machine.
        let tree = read(context, self.dir).await?;
        let aws = context.aws().await?;
        let found = context.until_interrupted(describe(&aws, name.as_str())).await?;
        let stack = found.ok_or_else(|| context.no_environment(name, &aws))?;
        let seed = Seed {
            aws: &aws,
            stack: &stack,
            tree: &tree,
            area: &area,
            options: &self.options,
            dry_run: self.dry_run,
        };
        let report = Box::pin(seed.run(context)).await?;
        warn(context, &report);
        let outcome = report.outcome();
        context
            .ui
            .finish("seed", &report, outcome, |style| words::of(&report, style));
        Ok(outcome)
    }
}

impl Options {
    /// The area given, or configured, or `main`.
    pub(crate) fn area(&self, context: &Context<'_>) -> Result<Area> {
        match (&self.area, &context.settings.config.seed.area) {
            (Some(area), _) => Ok(area.clone()),
            (None, Some(configured)) => configured.parse(),
            (None, None) => Ok(Area::default()),
        }
    }

    fn redis(&self) -> Result<Option<RedisAddress>> {
        let parse = |url: &String| {
            url.parse()
                .map_err(|error: StoreError| Error::usage(format!("`--redis-url`: {}", error.message)))
        };
        self.redis_url.as_ref().map(parse).transpose()
    }

    fn wants(&self, kind: StoreKind) -> bool {
        self.stores.is_empty() || self.stores.iter().any(|name| StoreKind::from(*name) == kind)
    }
}

/// Reads the directory given, or configured; the demo scripts otherwise.
pub(crate) async fn read(context: &Context<'_>, dir: Option<PathBuf>) -> Result<Tree> {
    match dir.or_else(|| context.settings.config.seed.path.clone()) {
        Some(dir) => Box::pin(Tree::read(&dir, context.ui, &context.interrupt)).await,
        None => Ok(Tree::demo()),
    }
}

/// One publishing to an environment's stores.
pub(crate) struct Seed<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) stack: &'a Stack,
    pub(crate) tree: &'a Tree,
    pub(crate) area: &'a Area,
    pub(crate) options: &'a Options,
    pub(crate) dry_run: bool,
}

impl Seed<'_> {
    /// Publishes, and words what stands in the way of Redis.
    pub(crate) async fn run(&self, context: &Context<'_>) -> Result<Report> {
        let endpoints = self.endpoints(context)?;
        let stores = self.stores(context, &endpoints).await?;
        let stores: Vec<&dyn Store> = stores.iter().map(AsRef::as_ref).collect();
        let job = Publish {
            tree: self.tree,
            area: self.area,
            stack_id: &self.stack.id,
            stores: &stores,
            dry_run: self.dry_run,
            reporter: context.ui,
            interrupt: &context.interrupt,
        };
        let advice = || redis::advice(context, self, &endpoints.redis);
        match Box::pin(publish(&job)).await {
            Ok(mut report) => {
                for store in &mut report.stores {
                    let problem = store.problem.as_mut().filter(|problem| problem.unreachable);
                    if let Some(problem) = problem.filter(|_| store.store == StoreKind::Redis) {
                        problem.hint = advice();
                    }
                }
                Ok(report)
            }
            Err(mut error) => {
                if let ErrorKind::Store(cause) = &*error.kind
                    && cause.store == StoreKind::Redis
                    && cause.is_unreachable()
                {
                    error.hint = advice();
                }
                Err(error)
            }
        }
    }

    fn endpoints(&self, context: &Context<'_>) -> Result<Endpoints> {
        let up = command_line(&context.settings, "up", context.settings.require_name()?);
        match self.stack.status.readiness() {
            Readiness::Updatable => self.stack.outputs.endpoints(),
            Readiness::Busy => Err(Error::refused(format!(
                "environment `{}` is not ready: {}",
                self.stack.name, self.stack.status
            ))
            .with_hint(format!("`{up}` waits until it is"))),
            Readiness::Leftover | Readiness::Stuck | Readiness::Absent => Err(Error::refused(format!(
                "environment `{}` cannot be seeded: {}",
                self.stack.name, self.stack.status
            ))
            .with_hint(format!("`{up}` mends it or says what is in the way"))),
        }
    }

    async fn stores(&self, context: &Context<'_>, endpoints: &Endpoints) -> Result<Vec<Box<dyn Store>>> {
        let mut stores: Vec<Box<dyn Store>> = Vec::new();
        if self.options.wants(StoreKind::S3) {
            stores.push(Box::new(S3Store::new(self.aws.s3().clone(), &endpoints.bucket)));
        }
        if self.options.wants(StoreKind::DynamoDb) {
            stores.push(Box::new(DynamoDbStore::new(
                self.aws.dynamodb().clone(),
                &endpoints.table,
            )));
        }
        if self.options.wants(StoreKind::Redis) {
            stores.push(Box::new(redis::open(context, self, &endpoints.redis).await?));
        }
        Ok(stores)
    }

    /// The command that would do this again.
    fn command(&self, context: &Context<'_>) -> Result<String> {
        let mut command = command_line(&context.settings, "seed", context.settings.require_name()?);
        if let Some(root) = self.tree.root() {
            command.push(' ');
            command.push_str(&quote(&root.display().to_string()));
        }
        if *self.area != Area::default() {
            command.push_str(" --area ");
            command.push_str(&quote(self.area.as_str()));
        }
        Ok(command)
    }
}

/// Says on stderr what is not done, and why.
pub(crate) fn warn(context: &Context<'_>, report: &Report) {
    for store in &report.stores {
        for message in incomplete(store) {
            context.ui.report(&Event::Warning { message, hint: None });
        }
        if let Some(problem) = &store.problem {
            context.ui.report(&Event::Warning {
                message: problem.message.clone(),
                hint: problem.hint.clone(),
            });
        }
    }
}

fn incomplete(store: &StoreReport) -> Vec<String> {
    const NAMED: usize = 20;
    let mut messages: Vec<String> = store
        .skipped
        .iter()
        .take(NAMED)
        .map(|file| {
            format!(
                "{}: `{}` is left out: {}, and has {}",
                store.store, file.path, file.reason, file.size
            )
        })
        .collect();
    if let Some(more) = store.skipped.len().checked_sub(NAMED).filter(|more| *more > 0) {
        messages.push(format!("{}: {more} more files are left out", store.store));
    }
    if store.state == StoreState::HeldBack {
        // The problem says why.
        messages.clear();
    }
    messages
}
