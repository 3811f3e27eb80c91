//! Coming to the environment's Redis: where, as whom, and what to do when there is no way.

use rstack::event::{Event, Reporter as _};
use rstack::publish::Tunnel;
use rstack::settings::Target;
use rstack::stack::{RedisEndpoint, output_key};
use rstack::store::{RedisAddress, RedisStore};
use rstack::{Error, Result};

use super::Seed;
use crate::cli::Context;

const PASSWORD: &str = "RSTACK_REDIS_PASSWORD";

/// The environment's Redis, or the one given instead.
pub(super) async fn open(context: &Context<'_>, seed: &Seed<'_>, endpoint: &RedisEndpoint) -> Result<RedisStore> {
    let mut address = match seed.options.redis()? {
        Some(address) => {
            if endpoint.tls && !address.tls {
                return Err(
                    Error::usage("this environment's Redis speaks TLS only, and the address given has none")
                        .with_hint("write `rediss://` instead of `redis://` in `--redis-url`"),
                );
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
            _ => secret(context, seed).await,
        };
    }
    Ok(RedisStore::new(address))
}

/// The AUTH token that the stack keeps. Without it Redis itself says what is missing.
async fn secret(context: &Context<'_>, seed: &Seed<'_>) -> Option<String> {
    let arn = seed.stack.outputs.get(output_key::REDIS_AUTH_SECRET)?;
    match seed.aws.secret(arn).await {
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

/// What to do when it cannot be reached.
pub(super) fn advice(context: &Context<'_>, seed: &Seed<'_>, endpoint: &RedisEndpoint) -> Option<String> {
    let again = seed.command(context).ok()?;
    if context.settings.target == Target::Local {
        return Some(format!(
            "`rstack local status` shows whether it runs; `rstack local start` mends it; then again: {again}"
        ));
    }
    if let Ok(Some(given)) = seed.options.redis() {
        return Some(format!(
            "check that the tunnel to `{}` is open, then again: {again}",
            given.endpoint()
        ));
    }
    let tunnel = Tunnel {
        endpoint,
        via: context.settings.config.stores.redis.via.as_deref(),
        region: seed.aws.region(),
        profile: context.settings.access.profile.as_deref(),
    };
    Some(tunnel.advice(&again))
}
