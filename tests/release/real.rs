//! The same scenarios against a real bucket, table and Redis.

use std::sync::Arc;

use aws_sdk_s3::types::CreateBucketConfiguration;
use bytes::Bytes;
use proptest::test_runner::{Config as ProptestConfig, TestRunner};
use rstack::store::{DynamoDbStore, RedisStore, S3Store};

use super::contention::eight;
use super::corrupt::is_caught;
use super::faulty::{Fate, Faulty};
use super::model::{Unions, act, play};
use super::world::{Files, World};
use crate::support::{block_on, local};

pub(super) async fn environment(what: &str) -> World {
    let (local, name) = (local::shared(), local::unique(what));
    let aws = local.aws().await;
    let here = CreateBucketConfiguration::builder()
        .location_constraint(aws.region().into())
        .build();
    let bucket = aws.s3().create_bucket().bucket(&name).create_bucket_configuration(here);
    bucket.send().await.expect("a bucket");
    crate::store::create_table(&aws, &name).await;
    let redis = RedisStore::new(local.redis_url().parse().expect("an address"));
    let stores = [
        Arc::new(DynamoDbStore::new(aws.dynamodb().clone(), &name)) as _,
        Arc::new(S3Store::new(aws.s3().clone(), &name)) as _,
        Arc::new(redis) as _,
    ];
    World::new(stores, &name)
}

#[test]
fn a_few_sequences_of_releases_and_their_unions_are_what_the_model_says() {
    let local = local::shared();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let played = runner.run(&proptest::collection::vec(act(), 6..18), |acts| {
        block_on(async {
            let world = environment("release-model").await;
            let (name, redis) = (&world.area, local.redis_url().trim_end_matches('/').to_owned());
            let unions = Unions {
                stores: [format!("dynamodb://{name}"), format!("s3://{name}"), redis],
                aws: Some(local.aws().await),
            };
            play(&world, &acts, Some(&unions)).await;
        });
        Ok(())
    });
    played.expect("what the model says");
}

#[test]
fn eight_publishers_at_once_lose_nothing_in_real_stores() {
    let _ = local::shared();
    block_on(async { eight(&environment("release-eight").await).await });
}

#[test]
fn a_flipped_byte_is_is_caught_in_real_stores() {
    let _ = local::shared();
    block_on(async {
        for store in 0..3 {
            for record in ["pack/", "release/", "marker"] {
                if (record, store) != ("marker", 0) {
                    is_caught(&environment("release-flipped").await, record, store).await;
                }
            }
        }
    });
}

#[test]
fn killed_every_few_writes_it_completes_in_real_stores() {
    let _ = local::shared();
    let (old, new) = (noise(6, 1000, 1), noise(7, 1000, 2));
    block_on(async {
        for writes in (0..16).step_by(3) {
            let world = environment("release-killed").await;
            world.publish(&old, "old").await.expect("published");
            let fate = Fate::after(writes);
            let doomed = world.behind(|inner| {
                let fate = Arc::clone(&fate);
                Arc::new(Faulty { inner, fate })
            });
            let result = doomed.publish(&new, "new").await;
            for seen in world.seen().await {
                assert!(
                    seen.as_ref() == Some(&old) || seen.as_ref() == Some(&new),
                    "after {writes} writes"
                );
            }
            let again = world.publish(&new, "new").await.expect("completes");
            assert_eq!(again.new, result.is_err(), "after {writes} writes");
            assert!(world.seen().await == vec![Some(new.clone()); 4]);
        }
    });
}

#[test]
fn packs_that_a_table_splits_come_back_whole() {
    let _ = local::shared();
    // Over eight mebibytes that do not compress: several packs, in many parts each.
    let files = noise(60, 200_000, 3);
    block_on(async {
        let world = environment("release-large").await;
        let report = world.publish(&files, "large").await.expect("published");
        assert_eq!(report.packs, 3);
        assert!(world.seen().await == vec![Some(files.clone()); 4]);
    });
}

/// Files whose bytes do not repeat.
pub(super) fn noise(count: u64, size: usize, seed: u64) -> Files {
    let content = |file: u64| {
        let mut state = (seed << 32 | file) ^ 0x2545_f491_4f6c_dd1d;
        let bytes = (0..size).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        });
        bytes.collect::<Bytes>()
    };
    (0..count)
        .map(|file| (format!("pkg/{file:04}.bin"), content(file)))
        .collect()
}

#[test]
fn a_promotion_killed_every_few_writes_completes_in_real_stores() {
    let _ = local::shared();
    let (old, new) = (noise(6, 1000, 1), noise(7, 1000, 2));
    block_on(async {
        for writes in (0..16).step_by(3) {
            let world = environment("release-promoted").await;
            world.publish(&old, "old").await.expect("published");
            let uat = World {
                area: format!("{}-uat", world.area).parse().expect("an area"),
                ..world.clone()
            };
            uat.publish(&new, "new").await.expect("published");
            let fate = Fate::after(writes);
            let doomed = world.behind(|inner| {
                let fate = Arc::clone(&fate);
                Arc::new(Faulty { inner, fate })
            });
            let result = doomed.promote(&uat.area, None).await;
            for seen in world.seen().await {
                assert!(
                    seen.as_ref() == Some(&old) || seen.as_ref() == Some(&new),
                    "after {writes} writes"
                );
            }
            let again = world.promote(&uat.area, None).await.expect("completes");
            assert_eq!(again.moved, result.is_err(), "after {writes} writes");
            assert!(world.seen().await == vec![Some(new.clone()); 4]);
        }
    });
}
