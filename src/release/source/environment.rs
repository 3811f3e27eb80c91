//! Where the stores of an environment are: asked of CloudFormation once in a process at most.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::error::{Error, ErrorKind, Result};
use crate::publish::Area;
use crate::release::cache::{LocalCache, NoteKind};
use crate::release::{Pin, Place};
use crate::stack::{Endpoints, describe, output_key};
use crate::store::{DynamoDbStore, RedisAddress, RedisStore, S3Store, Store};
use crate::time::Timestamp;

/// For so long after CloudFormation was asked an environment is where it was, for whoever needs nothing of it but that a
/// marker is where it was. A marker names its stack, so what came later in the same place is never taken for it; a table
/// that was kept when its stack was deleted is read for so long.
const REMEMBERED: Duration = Duration::from_hours(1);

/// What CloudFormation tells of an environment that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whereabouts {
    stack_id: String,
    endpoints: Endpoints,
    /// Of Redis's AUTH token.
    secret: Option<String>,
}

/// The same, and when it was told.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    found: Whereabouts,
    time: Timestamp,
}

/// An area of an environment: the table's marker, packs from Redis where it answers, else the table, else the bucket.
pub(super) async fn place(aws: &Aws, cache: &Arc<LocalCache>, name: &str, area: Area) -> Result<Place> {
    let about = about(aws, name);
    let found = {
        // Members of a union often lie in the same environment, and are opened at once.
        let _resolving = cache.resolving().await;
        let known = cache.own_note(NoteKind::Environment, &about);
        if let Some(known) = known.and_then(|note| parse(&note)) {
            known.found
        } else {
            let found = resolve(aws, name).await?;
            let time = Timestamp::now();
            let noted = Noted { found, time };
            let note = serde_json::to_vec(&noted).unwrap_or_default();
            cache.leave_note(NoteKind::Environment, &about, &note.into());
            noted.found
        }
    };
    let password = password(aws, &found).await;
    Ok(at(aws, found, password, area))
}

/// The same, as somebody told who has asked already: a process that this one is a child of.
pub(super) async fn told(
    aws: &Aws,
    cache: &Arc<LocalCache>,
    found: &Whereabouts,
    area: Area,
    pin: Option<&Pin>,
) -> Place {
    let place = Place {
        local: Arc::clone(cache),
        ..at(aws, found.clone(), None, area.clone())
    };
    match pin {
        Some(pin) if place.noted_complete(pin) => place,
        _ => at(aws, found.clone(), password(aws, found).await, area),
    }
}

/// Of Redis. Without it Redis refuses, and is passed over with a warning.
async fn password(aws: &Aws, found: &Whereabouts) -> Option<String> {
    match &found.secret {
        Some(arn) => aws.secret(arn).await.ok(),
        None => None,
    }
}

/// The same as it was when an earlier process asked: good enough for a release that is known by its id, all of which is
/// on this machine. No request is made.
pub(super) fn noted(aws: &Aws, cache: &Arc<LocalCache>, name: &str, area: Area, pin: &Pin) -> Option<Place> {
    let place = before(aws, cache, name, area, None)?;
    place.noted_complete(pin).then_some(place)
}

/// The same as it was when an earlier process asked, not long ago: good enough to look whether the marker has moved, and if
/// not, for a release of which this machine has what is wanted. `None` where this process has asked itself.
pub(super) fn remembered(aws: &Aws, cache: &Arc<LocalCache>, name: &str, area: Area) -> Option<Place> {
    let asked = cache.own_note(NoteKind::Environment, &about(aws, name));
    if asked.is_some() {
        return None;
    }
    before(aws, cache, name, area, Some(REMEMBERED))
}

/// Without a Redis that takes a password, which would have to be asked for.
fn before(aws: &Aws, cache: &Arc<LocalCache>, name: &str, area: Area, at_most: Option<Duration>) -> Option<Place> {
    let noted = parse(&cache.note(NoteKind::Environment, &about(aws, name))?)?;
    let now = Timestamp::now();
    if at_most.is_some_and(|at_most| noted.time > now || now.since(noted.time) > at_most) {
        return None;
    }
    let closed = noted.found.secret.is_some();
    let place = at(aws, noted.found, None, area);
    Some(Place {
        local: Arc::clone(cache),
        cache: place.cache.filter(|_| !closed),
        remembered: true,
        ..place
    })
}

/// A name means one environment in a region of a service's endpoint.
fn about(aws: &Aws, name: &str) -> String {
    let endpoint = aws.config().endpoint_url().unwrap_or_default();
    format!("{}\n{endpoint}\n{name}", aws.region())
}

fn parse(note: &[u8]) -> Option<Noted> {
    serde_json::from_slice(note).ok()
}

impl Whereabouts {
    /// As `?stores=` of a source.
    pub(super) fn written(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

async fn resolve(aws: &Aws, name: &str) -> Result<Whereabouts> {
    let stack = describe(aws, name).await?.ok_or_else(|| {
        Error::from(ErrorKind::NoEnvironment {
            name: name.to_owned(),
            place: format!("in {}", aws.region()),
        })
        .with_hint("`rstack status` without a name lists those there are")
    })?;
    Ok(Whereabouts {
        endpoints: stack.outputs.endpoints()?,
        secret: stack.outputs.get(output_key::REDIS_AUTH_SECRET).map(str::to_owned),
        stack_id: stack.id,
    })
}

fn at(aws: &Aws, found: Whereabouts, password: Option<String>, area: Area) -> Place {
    let Endpoints { bucket, table, redis } = found.endpoints.clone();
    let redis = RedisStore::new(RedisAddress {
        tls: redis.tls,
        password,
        ..RedisAddress::new(redis.address, redis.port)
    });
    let table = DynamoDbStore::new(aws.dynamodb().clone(), table);
    Place {
        cache: Some(Arc::new(redis) as Arc<dyn Store>),
        backup: Some(Arc::new(S3Store::new(aws.s3().clone(), bucket))),
        stack_id: Some(found.stack_id.clone()),
        whereabouts: Some(Arc::new(found)),
        ..Place::of(Arc::new(table), area)
    }
}
