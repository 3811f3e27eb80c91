//! After an EXPRESS deployment the resources exist but need not serve yet: waiting for what the stores need.

use std::time::Instant;

use super::pace::Pace;
use super::{Stack, Watch};
use crate::aws::{Aws, AwsError, Service, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;

/// Waits until the bucket answers, the table is ACTIVE and Redis is available.
///
/// # Errors
/// `LostContact` after the time-out, `Interrupted` when asked to stop; the stack stands in both cases.
pub(super) async fn wait_for_stores(aws: &Aws, stack: &Stack, watching: &Watch<'_>) -> Result<()> {
    let Ok(endpoints) = stack.outputs.endpoints() else {
        return Ok(());
    };
    let started = Instant::now();
    let mut pace = Pace::new();
    loop {
        let began = started.elapsed();
        let (bucket, table, redis) = tokio::join!(
            bucket_answers(aws, &endpoints.bucket),
            table_is_active(aws, &endpoints.table),
            redis_is_available(aws, &endpoints.redis.address),
        );
        pace.answered(began, started.elapsed());
        let waiting: Vec<_> = [("bucket", bucket), ("table", table), ("Redis", redis)]
            .into_iter()
            .filter_map(|(name, ready)| (!matches!(ready, Ok(true))).then_some((name, ready.err())))
            .collect();
        if waiting.is_empty() {
            return Ok(());
        }
        if let Some(error) = waiting
            .iter()
            .find_map(|(_, e)| e.as_ref().filter(|e| !e.kind.is_transient()))
        {
            return Err(Error::from(error.clone()).leaving(format!("stack `{}`, which stands", stack.name)));
        }
        let names = waiting.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        if watching.timeout.is_some_and(|limit| started.elapsed() > limit) {
            return Err(ErrorKind::LostContact(format!("the stack stands, but still starting: {names}")).into());
        }
        watching.reporter.report(&Event::Note {
            message: format!("waiting for {names}"),
        });
        tokio::select! {
            () = tokio::time::sleep(pace.next(started.elapsed())) => {}
            () = watching.interrupt.wait() => {
                return Err(ErrorKind::Interrupted(format!("the stack stands, but still starting: {names}")).into());
            }
        }
    }
}

async fn bucket_answers(aws: &Aws, bucket: &str) -> Result<bool, AwsError> {
    answered(aws.s3().head_bucket().bucket(bucket).send().await.map(|_| true), |e| {
        AwsError::new(Service::S3, "HeadBucket", e)
    })
}

async fn table_is_active(aws: &Aws, table: &str) -> Result<bool, AwsError> {
    let table = Table::describe(aws, table).await?;
    Ok(table.is_some_and(|table| table.is_active()))
}

/// By the address of its node: the outputs hold no cluster id.
async fn redis_is_available(aws: &Aws, address: &str) -> Result<bool, AwsError> {
    let output = aws
        .elasticache()
        .describe_cache_clusters()
        .show_cache_node_info(true)
        .send()
        .await;
    answered(
        output.map(|o| {
            o.cache_clusters()
                .iter()
                .filter(|c| {
                    c.cache_nodes()
                        .iter()
                        .any(|n| n.endpoint().and_then(|e| e.address()) == Some(address))
                        || c.replication_group_id().is_some_and(|id| address.contains(id))
                })
                .any(|c| c.cache_cluster_status() == Some("available"))
        }),
        |e| AwsError::new(Service::ElastiCache, "DescribeCacheClusters", e),
    )
}

/// Not there yet is no error.
fn answered<E>(result: Result<bool, E>, into: impl Fn(&E) -> AwsError) -> Result<bool, AwsError> {
    result.or_else(|error| {
        let error = into(&error);
        if error.kind == crate::aws::AwsErrorKind::NotFound {
            Ok(false)
        } else {
            Err(error)
        }
    })
}
