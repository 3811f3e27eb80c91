//! Publishers at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;

use super::faulty::{Fate, Faulty};
use super::world::{Files, World, files};
use crate::support::block_on;

#[test]
fn eight_publishers_at_once_lose_nothing() {
    block_on(async {
        let world = World::in_memory();
        eight(&world.behind(|inner| {
            Arc::new(Faulty {
                inner,
                fate: Fate::never(),
            })
        }))
        .await;
    });
}

/// Each adds a file of its own to what is there: all files are there in the end, and every release is in the history.
pub(super) async fn eight(world: &World) {
    let publishers = (0..8).map(|publisher| async move {
        let own = files([(format!("from/{publisher}.py").as_str(), "x = 1")]);
        let report = world.publish_content(&own, true, &[], &format!("by {publisher}")).await;
        report.expect("published")
    });
    let reports = join_all(publishers).await;
    let sequences: BTreeSet<u64> = reports.iter().map(|report| report.sequence).collect();
    assert_eq!(sequences, (1..=8).collect());
    let all: Files = (0..8)
        .map(|publisher| (format!("from/{publisher}.py"), bytes::Bytes::from_static(b"x = 1")))
        .collect();
    assert_eq!(world.seen().await, vec![Some(all); 4]);
    let moves = world.environment().moves().await.expect("moves");
    let reasons: BTreeSet<_> = moves.iter().filter_map(|step| step.reason.clone()).collect();
    assert_eq!((moves.len(), reasons.len()), (8, 8));
}
