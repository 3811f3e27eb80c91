//! `--delay`: proxies before the stores of the local AWS.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use rstack::aws::StoreEndpoints;
use rstack::bench::DelayProxy;
use rstack::event::{Event, Progress, Reporter as _, Task};
use rstack::settings::Target;
use rstack::store::{RedisAddress, StoreKind};
use rstack::{Error, ErrorKind, Result};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::cli::Context;
use crate::cli::apart::apart;

/// As it is typed: by how much longer a round trip takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Delay {
    pub(super) store: StoreKind,
    by: Duration,
}

/// What was asked, and what a round trip really takes longer, in seconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Added {
    pub(super) store: StoreKind,
    pub(super) asked: f64,
    pub(super) measured: f64,
}

const LONGEST: f64 = 10.0;

/// Reads `redis=0.7ms`.
pub(super) fn parse(text: &str) -> Result<Delay, String> {
    let (store, time) = text
        .split_once('=')
        .ok_or_else(|| format!("expected STORE=TIME such as `s3=30ms`, not {text:?}"))?;
    let stores = StoreKind::OF_ENVIRONMENT;
    let store = stores
        .into_iter()
        .find(|kind| kind.as_str() == store)
        .ok_or_else(|| format!("{store:?} is no store; there are `s3`, `dynamodb` and `redis`"))?;
    let units = [("ms", 0.001), ("us", 0.000_001), ("s", 1.0)];
    let seconds = units.iter().find_map(|(unit, length)| {
        let number: f64 = time.strip_suffix(unit)?.trim().parse().ok()?;
        Some(number * length)
    });
    match seconds {
        Some(seconds) if seconds > 0.0 && seconds <= LONGEST => Ok(Delay {
            store,
            by: Duration::from_secs_f64(seconds),
        }),
        _ => Err(format!(
            "{time:?} is no delay; expected something like `0.7ms` or `30ms`, up to 10 s"
        )),
    }
}

/// Proxies that run, and what they add.
pub(super) struct Delays {
    proxies: Vec<(StoreKind, DelayProxy)>,
    redis: Option<SocketAddr>,
    pub(super) added: Vec<Added>,
}

impl Delays {
    /// Starts a proxy before each store that is named, and measures that it does what it should.
    pub(super) async fn start(context: &Context<'_>, delays: &[Delay]) -> Result<Self> {
        let mut started = Self {
            proxies: Vec::new(),
            redis: None,
            added: Vec::new(),
        };
        if delays.is_empty() {
            return Ok(started);
        }
        if context.settings.target != Target::Local {
            return Err(
                Error::usage("`--delay` is for the local AWS: elsewhere the network has a delay of its own")
                    .with_hint("add `--local`, or leave it out"),
            );
        }
        let settings = &context.settings;
        let local = rstack::local::ensure(&settings.local, None, context.ui, &context.interrupt).await?;
        let (aws, redis) = (address(&local.endpoint())?, address(&local.redis_url())?);
        started.redis = Some(redis);
        for Delay { store, by } in delays {
            if started.proxies.iter().any(|(kind, _)| kind == store) {
                return Err(Error::usage(format!("`--delay` names {store} twice")));
            }
            let upstream = if *store == StoreKind::Redis { redis } else { aws };
            let proxy = DelayProxy::before(*store, upstream, *by)?;
            let (proxy, added) = context.until_interrupted(checked(context, proxy)).await?;
            started.added.push(Added {
                store: *store,
                asked: by.as_secs_f64(),
                measured: added,
            });
            started.proxies.push((*store, proxy));
        }
        Ok(started)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.proxies.is_empty()
    }

    fn before(&self, store: StoreKind) -> Option<SocketAddr> {
        let found = self.proxies.iter().find(|(kind, _)| *kind == store);
        found.map(|(_, proxy)| proxy.address())
    }

    pub(super) fn endpoints(&self) -> StoreEndpoints {
        let url = |store| self.before(store).map(|address| format!("http://{address}"));
        StoreEndpoints {
            s3: url(StoreKind::S3),
            dynamodb: url(StoreKind::DynamoDb),
        }
    }

    /// Whether it is another Redis than that of the local AWS, which no proxy is before.
    pub(super) fn leaves_out(&self, there: &RedisAddress) -> bool {
        self.before(StoreKind::Redis).is_some() && !self.is_local(there)
    }

    fn is_local(&self, there: &RedisAddress) -> bool {
        self.redis.is_some_and(|local| {
            let mut found = (there.host.as_str(), there.port)
                .to_socket_addrs()
                .into_iter()
                .flatten();
            found.any(|address| address == local)
        })
    }

    /// The same text with servers called by their own addresses, not by those of the proxies before them.
    pub(super) fn unproxied(&self, text: &str) -> String {
        self.proxies.iter().fold(text.to_owned(), |text, (_, proxy)| {
            text.replace(&proxy.address().to_string(), &proxy.upstream().to_string())
        })
    }

    /// The same of an error.
    pub(super) fn as_given(&self, mut error: Error) -> Error {
        match &mut *error.kind {
            ErrorKind::Store(cause) => cause.message = self.unproxied(&cause.message),
            ErrorKind::NoRelease { place, .. } => *place = self.unproxied(place),
            _ => {}
        }
        error.hint = error.hint.map(|hint| self.unproxied(&hint));
        error
    }

    /// The Redis of the local AWS by way of the proxy, any other as it is.
    pub(super) fn redis(&self, there: &RedisAddress) -> RedisAddress {
        match self.before(StoreKind::Redis).filter(|_| self.is_local(there)) {
            Some(proxy) => RedisAddress {
                host: proxy.ip().to_string(),
                port: proxy.port(),
                ..there.clone()
            },
            None => there.clone(),
        }
    }
}

/// Measures beside the runtime, which has to hear of an interrupt meanwhile.
async fn checked(context: &Context<'_>, proxy: DelayProxy) -> Result<(DelayProxy, f64)> {
    let (teller, mut told) = mpsc::unbounded_channel();
    let task = Task::Delay { store: proxy.store() };
    let check = apart(move || {
        let tell = |done, total| {
            // Nobody listens any more after an interrupt.
            let _ = teller.send((done, total));
        };
        let added = proxy.check(&tell)?;
        Ok((proxy, added))
    });
    let shown = async {
        while let Some((done, total)) = told.recv().await {
            context.ui.report(&Event::Progress(Progress {
                task,
                done,
                total: Some(total),
                bytes: 0,
                total_bytes: None,
            }));
        }
    };
    let (checked, ()) = tokio::join!(check, shown);
    checked
}

/// Where a server of this machine listens, from its URL.
fn address(url: &str) -> Result<SocketAddr> {
    let authority = url.split("://").nth(1).unwrap_or(url).trim_end_matches('/');
    let mut found = authority.to_socket_addrs().into_iter().flatten();
    found
        .next()
        .ok_or_else(|| Error::local(format!("`{url}` is no address of this machine")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_as_they_are_typed() {
        let delay = |text| parse(text).map(|delay| (delay.store, delay.by.as_micros()));
        assert_eq!(delay("redis=0.7ms"), Ok((StoreKind::Redis, 700)));
        assert_eq!(delay("dynamodb=5ms"), Ok((StoreKind::DynamoDb, 5000)));
        assert_eq!(delay("s3=1.5s"), Ok((StoreKind::S3, 1_500_000)));
        for wrong in [
            "",
            "s3",
            "s3=",
            "s3=30",
            "s3=-1ms",
            "s3=0ms",
            "s3=11s",
            "s3=NaNms",
            "memory=1ms",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
