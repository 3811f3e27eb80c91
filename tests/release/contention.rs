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

#[test]
fn nobody_rolls_back_over_a_release_that_came_meanwhile() {
    block_on(async {
        for _ in 0..20 {
            let world = World::in_memory();
            for content in ["1", "2", "3"] {
                world
                    .publish(&files([("a.py", content)]), "before")
                    .await
                    .expect("published");
            }
            let world = world.behind(|inner| {
                Arc::new(Faulty {
                    inner,
                    fate: Fate::never(),
                })
            });
            let contents: Vec<Files> = (0..4)
                .map(|number| files([("a.py", format!("new {number}").as_str())]))
                .collect();
            let publishing = join_all(contents.iter().map(|content| world.publish(content, "meanwhile")));
            let going_back = join_all((0..4).map(|_| world.rollback(None)));
            let (published, back) = futures_util::future::join(publishing, going_back).await;
            let moves = world.environment().moves().await.expect("moves");
            let at = |sequence: u64| moves.iter().find(|step| step.sequence == sequence).expect("it is kept");
            for report in published {
                let report = report.expect("published");
                assert_eq!(Some(&at(report.sequence).release), report.release.as_ref());
            }
            for report in &back {
                match report {
                    Ok(report) if report.moved => {
                        let previous = report.previous.as_ref().expect("there was one");
                        assert_eq!(previous.id, at(report.sequence - 1).release, "it left what it had seen");
                        assert_eq!(report.release.id, at(report.sequence).release);
                    }
                    // Another went back to the same.
                    Ok(report) => assert!(moves.iter().any(|step| step.release == report.release.id)),
                    Err(error) => {
                        let (text, last) = (error.to_string(), &moves[0].author);
                        assert!(text.contains("another came first") && text.contains(last), "{text}");
                        assert_eq!(error.exit_code(), 1);
                    }
                }
            }
            let went = back.iter().flatten().filter(|report| report.moved).count();
            assert_eq!(moves.len(), 3 + 4 + went);
            let seen = world.seen().await;
            assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
        }
    });
}
