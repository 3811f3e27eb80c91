//! `rstack seed`.

mod bytecode;
mod warnings;
pub(super) mod words;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args as ClapArgs, ValueEnum};
use rstack::aws::Aws;
use rstack::bytecode::Compiled;
use rstack::event::{Event, Reporter as _};
use rstack::publish::{Area, Publish, Report, Tree, publish};
use rstack::release::{self, Content, Mover, Place, Publication, Published, Stores, Work};
use rstack::settings::Target;
use rstack::stack::{Endpoints, Stack, describe};
use rstack::store::{DynamoDbStore, S3Store, Store, StoreError, StoreKind};
use rstack::trust::PrivateKey;
use rstack::{Error, ErrorKind, Outcome, Result};
use serde::Serialize;

use self::bytecode::CompileOption;
use self::warnings::warn_of_neighbours;
pub(crate) use self::warnings::{warn, warn_of};
use super::authorship::{Authorship, Signing};
use super::plain::{PlainOption, bear, catch_up, has_raced};
use super::redis::{RedisOption, Way};
use super::shell::{command_line, quote};
use super::{Context, environment};

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

/// What was published: a release, and the same as plain files.
#[derive(Debug, Serialize)]
pub(crate) struct SeedReport {
    pub(crate) release: Option<Published>,
    /// What each interpreter made; empty when that was not asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) bytecode: Vec<Compiled>,
    #[serde(flatten)]
    pub(crate) files: Report,
    /// There are plain files, of another release.
    #[serde(skip)]
    behind: bool,
}

impl SeedReport {
    pub(crate) fn outcome(&self) -> Outcome {
        let release = self.release.as_ref().map_or(Outcome::Done, Published::outcome);
        let plain = if self.behind { Outcome::Partial } else { Outcome::Done };
        release.and(self.files.outcome()).and(plain)
    }

    /// Says how to come to a Redis that does not answer.
    fn advise(&mut self, advice: impl Fn() -> Option<String>) {
        for store in &mut self.files.stores {
            if store.trouble.unreachable && store.store == StoreKind::Redis {
                store.trouble.hint = advice();
            }
        }
        for store in self.release.iter_mut().flat_map(|release| &mut release.stores) {
            if store.trouble.unreachable && store.store == StoreKind::Redis {
                store.trouble.hint = advice();
            }
        }
    }
}

/// One publishing to an environment's stores.
pub(crate) struct Seed<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) stack: &'a Stack,
    pub(crate) tree: &'a Tree,
    pub(crate) area: &'a Area,
    pub(crate) options: &'a Options,
    pub(crate) signer: Option<&'a PrivateKey>,
    pub(crate) dry_run: bool,
}

impl Seed<'_> {
    /// Publishes, and words what stands in the way of Redis.
    pub(crate) async fn run(&self, context: &Context<'_>) -> Result<SeedReport> {
        let endpoints = environment::endpoints(context, self.stack)?;
        let stores = self.stores(context, &endpoints).await?;
        let way = self.way(&endpoints)?;
        let advice = || Some(way.advice(context, &self.command(context).ok()?));
        match Box::pin(self.publish(context, &stores)).await {
            Ok(mut report) => {
                report.advise(advice);
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

    async fn publish(&self, context: &Context<'_>, stores: &[Arc<dyn Store>]) -> Result<SeedReport> {
        if context.settings.target == Target::Local && !self.dry_run {
            warn_of_neighbours(context, stores, self.area, &self.stack.id).await;
        }
        let release = Box::pin(self.release(context, stores)).await?;
        let plain = self.options.plain.wanted(self.tree.bytes());
        let each: Vec<&dyn Store> = stores.iter().map(AsRef::as_ref).collect();
        let unanswered: Vec<StoreError> = release.iter().flat_map(Published::unanswered).cloned().collect();
        let job = Publish {
            tree: self.tree,
            area: self.area,
            stack_id: &self.stack.id,
            stores: if plain || release.is_none() { &each } else { &[] },
            unanswered: &unanswered,
            dry_run: self.dry_run,
            reporter: context.ui,
            interrupt: &context.interrupt,
        };
        let (mut files, mut behind) = match Box::pin(publish(&job)).await {
            Err(error) if release.is_some() && !self.dry_run => {
                bear(context, self.area, error, &self.command(context)?)?;
                (Box::pin(publish(&Publish { stores: &[], ..job })).await?, true)
            }
            other => (other?, false),
        };
        if let Some(release) = release.as_ref().filter(|_| plain && !self.dry_run)
            && let Some(place) = self.overtaken(release, &files, stores).await?
        {
            let message = format!(
                "others published to area `{}` meanwhile; its plain files follow",
                self.area
            );
            context.ui.report(&Event::Note { message });
            files = Box::pin(catch_up(context, place, &each, &self.stack.id)).await?;
        }
        let deciding = each.iter().find(|store| store.kind() == StoreKind::DynamoDb);
        let left = deciding.filter(|_| release.is_some() && !plain && !self.dry_run);
        if let Some(deciding) = left {
            let (plain, again) = (&self.options.plain, self.command(context)?);
            let tree = Some(self.tree);
            match plain
                .leave(context, *deciding, self.area, &self.stack.id, tree, &again)
                .await
            {
                Ok(left) => behind |= left,
                Err(error) => {
                    bear(context, self.area, error, &again)?;
                    behind = true;
                }
            }
        }
        Ok(SeedReport {
            release,
            bytecode: Vec::new(),
            files,
            behind,
        })
    }

    /// Where the area's release is read, when it may be another one than the plain files are of by now. Who comes later
    /// writes S3's copy of the marker before any plain file, so that tells.
    async fn overtaken(&self, release: &Published, files: &Report, stores: &[Arc<dyn Store>]) -> Result<Option<Place>> {
        let find = |kind| stores.iter().find(|store| store.kind() == kind).cloned();
        let (Some(s3), Some(dynamodb)) = (find(StoreKind::S3), find(StoreKind::DynamoDb)) else {
            return Ok(None);
        };
        let place = |store| Place {
            stack_id: Some(self.stack.id.clone()),
            ..Place::of(store, self.area.clone())
        };
        // A copy that cannot be read lags, which the release's report says.
        let sequence = place(s3.clone()).sequence().await;
        let is_overtaken = has_raced(files) || sequence.is_ok_and(|sequence| sequence > release.sequence);
        Ok(is_overtaken.then(|| Place {
            backup: Some(s3),
            ..place(dynamodb)
        }))
    }

    /// The release; `None` when the stores that decide and confirm one were left out.
    async fn release(&self, context: &Context<'_>, stores: &[Arc<dyn Store>]) -> Result<Option<Published>> {
        let find = |kind| stores.iter().map(AsRef::as_ref).find(|store| store.kind() == kind);
        let (Some(s3), Some(dynamodb)) = (find(StoreKind::S3), find(StoreKind::DynamoDb)) else {
            if self.options.plain.no_plain {
                return Err(Error::usage(
                    "a release takes s3 and dynamodb, and without one `--no-plain` leaves nothing",
                )
                .with_hint("name both in `--store`, or leave `--store` out"));
            }
            if self.options.signing.sign.is_some() {
                return Err(
                    Error::usage("a release takes s3 and dynamodb, and without one there is nothing to sign")
                        .with_hint("name both in `--store`, or leave `--store` out"),
                );
            }
            let message = "no release is made, as that takes both s3 and dynamodb: only plain files".to_owned();
            context.ui.report(&Event::Note { message });
            return Ok(None);
        };
        let stores = Stores {
            deciding: dynamodb,
            durable: vec![s3],
            caches: find(StoreKind::Redis).into_iter().collect(),
        };
        let author = self.options.authorship.author();
        let trusted = context.settings.trusted();
        let job = Publication {
            content: Content {
                tree: self.tree,
                onto_current: false,
                removed: &BTreeSet::new(),
            },
            mover: Mover {
                area: self.area,
                stack_id: &self.stack.id,
                stores: &stores,
                author: &author,
                reason: self.options.authorship.message.as_deref(),
                signer: self.signer,
                unsigned: self.options.signing.unsigned,
            },
            trusted: &trusted,
            dry_run: self.dry_run,
        };
        let work = Work {
            reporter: context.ui,
            interrupt: &context.interrupt,
        };
        Box::pin(release::publish(&job, &work)).await.map(Some)
    }

    async fn stores(&self, context: &Context<'_>, endpoints: &Endpoints) -> Result<Vec<Arc<dyn Store>>> {
        let mut stores: Vec<Arc<dyn Store>> = Vec::new();
        if self.options.wants(StoreKind::S3) {
            stores.push(Arc::new(S3Store::new(self.aws.s3().clone(), &endpoints.bucket)));
        }
        if self.options.wants(StoreKind::DynamoDb) {
            stores.push(Arc::new(DynamoDbStore::new(
                self.aws.dynamodb().clone(),
                &endpoints.table,
            )));
        }
        if self.options.wants(StoreKind::Redis) {
            stores.push(Arc::new(self.way(endpoints)?.open(context).await?));
        }
        Ok(stores)
    }

    fn way<'e>(&'e self, endpoints: &'e Endpoints) -> Result<Way<'e>> {
        Ok(Way {
            aws: self.aws,
            stack: self.stack,
            endpoint: &endpoints.redis,
            given: self.options.redis.given()?,
        })
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
