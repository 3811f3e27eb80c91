//! Coming to the environment's Redis: where, as whom, and what to do when there is no way.

use clap::Args as ClapArgs;
use rstack::aws::Aws;
use rstack::event::{Event, Reporter as _};
use rstack::publish::Tunnel;
use rstack::settings::Target;
use rstack::stack::{RedisEndpoint, Stack, output_key};
use rstack::store::{RedisAddress, RedisStore, StoreError};
use rstack::{Error, Result};

use super::Context;
use super::shell::quote;

const PASSWORD: &str = "RSTACK_REDIS_PASSWORD";

/// Which Redis.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct RedisOption {
    /// Redis to use instead of the environment's address, such as the near end of a tunnel
    // Not parsed by clap, whose error would repeat a password.
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,
}

impl RedisOption {
    /// The address given, if one was.
    pub(crate) fn given(&self) -> Result<Option<RedisAddress>> {
        let parse = |url: &String| {
            url.parse()
                .map_err(|error: StoreError| Error::usage(format!("`--redis-url`: {}", error.message)))
        };
        self.redis_url.as_ref().map(parse).transpose()
    }
}

/// The way to an environment's Redis.
pub(crate) struct Way<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) stack: &'a Stack,
    pub(crate) endpoint: &'a RedisEndpoint,
    pub(crate) given: Option<RedisAddress>,
}

impl Way<'_> {
    /// The environment's Redis, or the one given instead.
    pub(crate) async fn open(&self, context: &Context<'_>) -> Result<RedisStore> {
        Ok(RedisStore::new(self.address(context).await?))
    }

    /// Where that is, and its password.
    pub(crate) async fn address(&self, context: &Context<'_>) -> Result<RedisAddress> {
        let endpoint = self.endpoint;
        let mut address = match self.given.clone() {
            Some(address) => {
                if endpoint.tls && !address.tls {
                    return Err(Error::usage(
                        "this environment's Redis speaks TLS only, and the address given has none",
                    )
                    .with_hint("write `rediss://` instead of `redis://` in `--redis-url`"));
                }
                RedisAddress {
                    // Wherever the tunnel begins, its end has to prove that it is the environment's.
                    server_name: (address.tls && endpoint.tls).then(|| endpoint.address.clone()),
                    ..address
                }
            }
            None => RedisAddress {
                tls: endpoint.tls,
                ..RedisAddress::new(&endpoint.address, endpoint.port)
            },
        };
        if address.password.is_none() {
            address.password = match std::env::var(PASSWORD) {
                Ok(password) if !password.is_empty() => Some(password),
                _ => self.secret(context).await,
            };
        }
        Ok(address)
    }

    /// The AUTH token that the stack keeps. Without it Redis itself says what is missing.
    async fn secret(&self, context: &Context<'_>) -> Option<String> {
        let arn = self.stack.outputs.get(output_key::REDIS_AUTH_SECRET)?;
        match self.aws.secret(arn).await {
            Ok(secret) => Some(secret),
            Err(error) => {
                context.ui.report(&Event::Warning {
                    message: format!("Redis's password cannot be read: {error}"),
                    hint: error.hint().or_else(|| Some(format!("give it in {PASSWORD}"))),
                });
                None
            }
        }
    }

    /// What to do when it cannot be reached; `again` is the command that would do this again.
    pub(crate) fn advice(&self, context: &Context<'_>, again: &str) -> String {
        if let Some(given) = &self.given {
            let password = if given.password.is_some() {
                ", with the password"
            } else {
                ""
            };
            return format!(
                "check that a Redis answers at `{}`, or that the tunnel that begins there is open; then again: {again} \
                 --redis-url {}{password}",
                given.endpoint(),
                quote(&given.url())
            );
        }
        if context.settings.target == Target::Local && self.endpoint.tls {
            return format!(
                "the local AWS has a Redis without TLS: `rstack up` again without `stores: {{redis: {{tls: true}}}}` in \
                 rstack.yaml; then again: {again}"
            );
        }
        if context.settings.target == Target::Local {
            return format!(
                "`rstack local status` shows whether it runs; `rstack local start` mends it; then again: {again}"
            );
        }
        let tunnel = Tunnel {
            endpoint: self.endpoint,
            via: context.settings.config.stores.redis.via.as_deref(),
            region: self.aws.region(),
            profile: context.settings.access.profile.as_deref(),
        };
        tunnel.advice(again)
    }
}
