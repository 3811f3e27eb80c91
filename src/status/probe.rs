//! Whether each store answers, and how quickly.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::{join, join3};
use serde::Serialize;

use crate::aws::{Aws, AwsError, AwsErrorKind, Service, Table};
use crate::publish::AreaRecord;
use crate::release::Repair;
use crate::stack::{Outputs, Resource, output_key};
use crate::store::StoreKind;

/// A Redis inside a VPC swallows connection attempts: this much patience, no more.
const PATIENCE: Duration = Duration::from_secs(1);

/// One store of an environment.
#[derive(Debug, Clone, Serialize)]
pub struct StoreReport {
    pub store: StoreKind,
    /// The bucket, the table, or `host:port`.
    pub place: String,
    #[serde(flatten)]
    pub condition: Condition,
    /// What its service says of its state: "ACTIVE", "available".
    pub state: Option<String>,
    /// Version of the Redis engine.
    pub version: Option<String>,
    /// Items in the table, as DynamoDB counts them about every six hours.
    pub items: Option<u64>,
    /// The areas of this environment, by name; absent when the store cannot be read from here.
    pub areas: Option<BTreeMap<String, AreaRecord>>,
    /// The move that its marker of an area is at, null where none can be read; only of areas that the stores say different
    /// things of.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub moves: BTreeMap<String, Option<u64>>,
    /// The last time that a reader put something back that the store had lost, by area.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub repairs: BTreeMap<String, Repair>,
}

/// How a store reacted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "condition", rename_all = "snake_case")]
pub enum Condition {
    Answers {
        seconds: f64,
    },
    /// No connection from this machine; inside its VPC the store may well answer.
    NotReachable {
        message: String,
    },
    /// The stack has it, its service does not.
    Missing,
    /// It answered with a refusal or a failure.
    Failed {
        message: String,
    },
}

/// Asks every store that the outputs name, all at once.
pub(super) async fn probe(aws: &Aws, outputs: &Outputs, resources: &[Resource]) -> Vec<StoreReport> {
    let (bucket, table, redis) = join3(
        optional(outputs.get(output_key::BUCKET), |name| bucket(aws, name)),
        optional(outputs.get(output_key::TABLE), |name| table(aws, name)),
        optional(outputs.get(output_key::REDIS_ADDRESS), |host| {
            redis(aws, outputs, host, resources)
        }),
    )
    .await;
    [bucket, table, redis].into_iter().flatten().collect()
}

async fn optional<'a, F: Future<Output = StoreReport>>(
    place: Option<&'a str>,
    ask: impl FnOnce(&'a str) -> F,
) -> Option<StoreReport> {
    match place {
        Some(place) => Some(Box::pin(ask(place)).await),
        None => None,
    }
}

impl StoreReport {
    fn new(store: StoreKind, place: impl Into<String>, condition: Condition) -> Self {
        Self {
            store,
            place: place.into(),
            condition,
            state: None,
            version: None,
            items: None,
            areas: None,
            moves: BTreeMap::new(),
            repairs: BTreeMap::new(),
        }
    }
}

impl Condition {
    fn of<T>(answer: Result<T, AwsError>, asked: Instant) -> (Self, Option<T>) {
        match answer {
            Ok(answer) => {
                let seconds = asked.elapsed().as_secs_f64();
                (Self::Answers { seconds }, Some(answer))
            }
            Err(error) if error.kind == AwsErrorKind::NotFound => (Self::Missing, None),
            Err(error) if matches!(error.kind, AwsErrorKind::Connection | AwsErrorKind::Timeout) => {
                let message = error.to_string();
                (Self::NotReachable { message }, None)
            }
            Err(error) => {
                let message = error.to_string();
                (Self::Failed { message }, None)
            }
        }
    }
}

async fn bucket(aws: &Aws, name: &str) -> StoreReport {
    let asked = Instant::now();
    let answer = aws.s3().head_bucket().bucket(name).send().await;
    let answer = answer.map_err(|e| AwsError::new(Service::S3, "HeadBucket", &e));
    StoreReport::new(StoreKind::S3, name, Condition::of(answer, asked).0)
}

async fn table(aws: &Aws, name: &str) -> StoreReport {
    let asked = Instant::now();
    let (condition, table) = Condition::of(Table::describe(aws, name).await, asked);
    let Some(table) = table.flatten() else {
        let missing = matches!(condition, Condition::Answers { .. });
        let condition = if missing { Condition::Missing } else { condition };
        return StoreReport::new(StoreKind::DynamoDb, name, condition);
    };
    StoreReport {
        state: table.status,
        items: table.items,
        ..StoreReport::new(StoreKind::DynamoDb, name, condition)
    }
}

async fn redis(aws: &Aws, outputs: &Outputs, host: &str, resources: &[Resource]) -> StoreReport {
    let port = outputs.get(output_key::REDIS_PORT).unwrap_or("6379");
    let tls = outputs
        .get(output_key::REDIS_URL)
        .is_some_and(|url| url.starts_with("rediss:"));
    let (condition, engine) = join(ping(host, port, tls), engine(aws, resources)).await;
    let (state, version) = engine.unwrap_or_default();
    StoreReport {
        state,
        version,
        ..StoreReport::new(StoreKind::Redis, format!("{host}:{port}"), condition)
    }
}

async fn ping(host: &str, port: &str, tls: bool) -> Condition {
    let scheme = if tls { "rediss" } else { "redis" };
    let asked = Instant::now();
    let answer = async {
        let config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let client = redis::Client::open(format!("{scheme}://{host}:{port}"))?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        redis::cmd("PING").query_async::<String>(&mut connection).await
    };
    let answers = |seconds| Condition::Answers { seconds };
    match answer.await {
        Ok(_) => answers(asked.elapsed().as_secs_f64()),
        // One that wants a password answers too; status has no need to know the password.
        Err(error) if error.code() == Some("NOAUTH") => answers(asked.elapsed().as_secs_f64()),
        Err(error) if error.is_io_error() || error.is_timeout() => Condition::NotReachable {
            message: error.to_string(),
        },
        Err(error) => Condition::Failed {
            message: error.to_string(),
        },
    }
}

/// State and version according to ElastiCache; `None` when the stack has no Redis of its own or ElastiCache will not
/// say, which takes nothing from the rest of the report.
async fn engine(aws: &Aws, resources: &[Resource]) -> Option<(Option<String>, Option<String>)> {
    let id_of = |resource_type: &str| {
        let resource = resources.iter().find(|r| r.resource_type == resource_type)?;
        resource.physical_id.as_deref()
    };
    let describe = aws.elasticache().describe_cache_clusters();
    if let Some(id) = id_of("AWS::ElastiCache::CacheCluster") {
        let answer = describe.cache_cluster_id(id).send().await.ok()?;
        let cluster = answer.cache_clusters().first()?;
        return Some((
            cluster.cache_cluster_status().map(str::to_owned),
            cluster.engine_version().map(str::to_owned),
        ));
    }
    let id = id_of("AWS::ElastiCache::ReplicationGroup")?;
    let groups = aws.elasticache().describe_replication_groups();
    let groups = groups.replication_group_id(id).send().await.ok()?;
    let group = groups.replication_groups().first()?;
    let state = group.status().map(str::to_owned);
    let version = match group.member_clusters().first() {
        Some(member) => describe.cache_cluster_id(member).send().await.ok().and_then(|answer| {
            let cluster = answer.cache_clusters().first()?;
            cluster.engine_version().map(str::to_owned)
        }),
        None => None,
    };
    Some((state, version))
}
