//! One publishing to an environment's stores: a release, and the same as plain files.

use std::collections::BTreeSet;
use std::sync::Arc;

use rstack::aws::Aws;
use rstack::bytecode::Compiled;
use rstack::event::{Event, Reporter as _};
use rstack::publish::{Area, Publish, Report, Tree, publish};
use rstack::release::{self, Content, Mover, Place, Publication, Published, Stores, Work};
use rstack::settings::Target;
use rstack::stack::{Endpoints, Stack};
use rstack::store::{DynamoDbStore, S3Store, Store, StoreError, StoreKind};
use rstack::trust::PrivateKey;
use rstack::{Error, ErrorKind, Outcome, Result};
use serde::Serialize;

use super::Options;
use super::warnings::warn_of_neighbours;
use crate::cli::plain::{bear, catch_up, has_raced};
use crate::cli::redis::Way;
use crate::cli::shell::{command_line, quote};
use crate::cli::{Context, environment};

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
    pub(super) behind: bool,
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
        let advice = || Some(way.advice(context, &self.again(context).ok()?));
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
                bear(context, self.area, error, &self.again(context)?)?;
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
            let (plain, command) = (&self.options.plain, self.command(context)?);
            let tree = Some(self.tree);
            match plain
                .leave(context, *deciding, self.area, &self.stack.id, tree, &command)
                .await
            {
                Ok(left) => behind |= left,
                Err(error) => {
                    bear(context, self.area, error, &self.again(context)?)?;
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
    fn again(&self, context: &Context<'_>) -> Result<String> {
        let plain = &self.options.plain;
        let option = match (plain.plain, plain.no_plain) {
            (true, _) => " --plain",
            (_, true) => " --no-plain",
            _ => "",
        };
        Ok(self.command(context)? + option)
    }

    /// The same without a word of plain files.
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
