//! The environment whose stores a command works on.

use std::sync::Arc;

use rstack::aws::Aws;
use rstack::bench::Standing;
use rstack::publish::{Area, Report, StoreState};
use rstack::release::{CopyReport, Place, Stores};
use rstack::stack::{Endpoints, Readiness, Stack, StackName, describe};
use rstack::store::{DynamoDbStore, RedisAddress, RedisStore, S3Store, Store, StoreKind};
use rstack::{Error, Result};

use super::Context;
use super::redis::{RedisOption, Way};
use super::shell::command_line;

/// An environment that stands.
pub(crate) struct Environment {
    pub(crate) aws: Aws,
    pub(crate) stack: Stack,
    endpoints: Endpoints,
    given: Option<RedisAddress>,
}

/// All three of its stores.
pub(crate) struct AllStores {
    s3: Arc<S3Store>,
    dynamodb: Arc<DynamoDbStore>,
    redis: RedisStore,
}

impl Environment {
    /// The one that the settings name.
    pub(crate) async fn find(context: &Context<'_>, redis: &RedisOption) -> Result<Self> {
        Self::named(context, context.settings.require_name()?, redis).await
    }

    pub(crate) async fn named(context: &Context<'_>, name: &StackName, redis: &RedisOption) -> Result<Self> {
        let given = redis.given()?;
        let aws = context.until_interrupted(context.aws()).await?;
        let found = context.until_interrupted(describe(&aws, name.as_str())).await?;
        let stack = found.ok_or_else(|| context.no_environment(name, &aws))?;
        let endpoints = endpoints(context, &stack)?;
        Ok(Self {
            aws,
            stack,
            endpoints,
            given,
        })
    }

    /// Where its stores are, for whoever connects to them anew each time.
    pub(crate) async fn standing(&self, context: &Context<'_>) -> Result<Standing> {
        Ok(Standing {
            bucket: self.endpoints.bucket.clone(),
            table: self.endpoints.table.clone(),
            redis: self.way().address(context).await?,
            stack_id: self.stack.id.clone(),
        })
    }

    pub(crate) async fn stores(&self, context: &Context<'_>) -> Result<AllStores> {
        Ok(AllStores {
            s3: Arc::new(S3Store::new(self.aws.s3().clone(), &self.endpoints.bucket)),
            dynamodb: Arc::new(DynamoDbStore::new(self.aws.dynamodb().clone(), &self.endpoints.table)),
            redis: self.way().open(context).await?,
        })
    }

    /// Says how to come to a Redis that does not have a release; `again` is the command that would do this again.
    pub(crate) fn advise(&self, context: &Context<'_>, again: &str, copies: &mut [CopyReport]) {
        for store in copies {
            if store.trouble.unreachable && store.store == StoreKind::Redis {
                store.trouble.hint = Some(self.way().advice(context, again));
            }
        }
    }

    /// As [`Environment::advise`], of plain files.
    pub(crate) fn advise_of_files(&self, context: &Context<'_>, again: &str, files: &mut Report) {
        for store in &mut files.stores {
            if store.trouble.unreachable && store.store == StoreKind::Redis {
                store.trouble.hint = Some(self.way().advice(context, again));
            } else if matches!(store.state, StoreState::HeldBack | StoreState::Raced) {
                store.trouble.hint = Some(format!("once that is mended: {again}"));
            }
        }
    }

    pub(crate) fn way(&self) -> Way<'_> {
        Way {
            aws: &self.aws,
            stack: &self.stack,
            endpoint: &self.endpoints.redis,
            given: self.given.clone(),
        }
    }
}

impl AllStores {
    /// By what they are for.
    pub(crate) fn roles(&self) -> Stores<'_> {
        Stores {
            deciding: &*self.dynamodb,
            durable: vec![&*self.s3],
            caches: vec![&self.redis],
        }
    }

    pub(crate) fn each(&self) -> [&dyn Store; 3] {
        [&*self.s3, &*self.dynamodb, &self.redis]
    }

    /// Where an area is read that was just written.
    pub(crate) fn place(&self, area: &Area, stack: &Stack) -> Place {
        Place {
            backup: Some(self.s3.clone()),
            stack_id: Some(stack.id.clone()),
            ..Place::of(self.dynamodb.clone(), area.clone())
        }
    }
}

/// Where the stores of a stack are, once it stands.
pub(crate) fn endpoints(context: &Context<'_>, stack: &Stack) -> Result<Endpoints> {
    let up = command_line(&context.settings, "up", &stack.name.parse()?);
    match stack.status.readiness() {
        Readiness::Updatable => stack.outputs.endpoints(),
        Readiness::Busy => Err(
            Error::refused(format!("environment `{}` is not ready: {}", stack.name, stack.status))
                .with_hint(format!("`{up}` waits until it is")),
        ),
        Readiness::Leftover | Readiness::Stuck | Readiness::Absent => Err(Error::refused(format!(
            "environment `{}` cannot be used: {}",
            stack.name, stack.status
        ))
        .with_hint(format!("`{up}` mends it or says what is in the way"))),
    }
}
