//! A Redis that is gone, emptied, silent, or breaks off.

use std::thread::{scope, sleep};
use std::time::Duration;

use serde_json::json;

use super::world::World;
use crate::support::microburst::Microburst;
use crate::support::redis::Redis;
use crate::support::{Signal, block_on};

async fn flush(redis: &Redis) {
    let client = redis::Client::open(redis.url()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let _: () = redis::cmd("FLUSHALL")
        .query_async(&mut connection)
        .await
        .expect("flushed");
}

#[test]
fn an_emptied_redis_is_read_around_and_filled_again() {
    let redis = Redis::start(&[]);
    let world = World::new("fault-emptied", Some(redis.port()));
    let url = format!("{}/{}", redis.url(), world.name);
    world.pull(world.local.rstack([]), &url).expect(0);
    block_on(flush(&redis));
    let empty = world.pull(world.local.rstack([]), &url).expect(1);
    assert!(empty.stderr.contains("there is no release"), "{empty}");
    world.pull(world.local.rstack([]), &world.environment()).expect(0);
    world.assert_pulled();
    let status = world.local.done(["status", "-n", &world.name]);
    assert!(status.stdout.contains("a reader put back"), "{status}");
    world.seed().run().expect(0);
    world.pull(world.local.rstack([]), &url).expect(0);
    world.assert_pulled();
}

#[test]
fn a_redis_that_is_emptied_again_and_again_changes_nothing_for_readers() {
    let redis = Redis::start(&[]);
    let world = World::new("fault-flushed", Some(redis.port()));
    scope(|scope| {
        let flushing = scope.spawn(|| {
            for _ in 0..40 {
                block_on(flush(&redis));
                sleep(Duration::from_millis(20));
            }
        });
        while !flushing.is_finished() {
            world.pull(world.local.rstack([]), &world.environment()).expect(0);
            world.assert_pulled();
        }
    });
}

#[test]
fn a_redis_that_is_gone_or_silent_is_read_around_and_lags_until_it_is_back() {
    let redis = Redis::start(&[]);
    let world = World::new("fault-gone", Some(redis.port()));
    redis.signal(Signal::STOP);
    world.pull(world.local.rstack([]), &world.environment()).expect(0);
    world.assert_pulled();
    world.write(2);
    let silent = world.seed().run().expect(3);
    assert!(silent.stderr.contains("redis"), "{silent}");
    world.pull(world.local.rstack([]), &world.environment()).expect(0);
    world.assert_pulled();
    redis.signal(Signal::CONT);
    // What Redis says on its own is old, and whole.
    let url = redis.url();
    world.seed().run().expect(0);
    world
        .pull(world.local.rstack([]), &format!("{url}/{}", world.name))
        .expect(0);
    world.assert_pulled();
    drop(redis);
    world.pull(world.local.rstack([]), &world.environment()).expect(0);
    world.assert_pulled();
    let gone = world
        .pull(world.local.rstack([]), &format!("{url}/{}", world.name))
        .expect(1);
    assert!(gone.stderr.contains("cannot be reached"), "{gone}");
    world.write(3);
    world.seed().run().expect(3);
    let _back = Redis::start_at(&url);
    world.seed().run().expect(0);
    world
        .pull(world.local.rstack([]), &format!("{url}/{}", world.name))
        .expect(0);
    world.assert_pulled();
}

#[test]
fn a_redis_that_breaks_off_or_refuses_in_the_middle_is_read_around() {
    let redis = Redis::start(&[]);
    let proxy = Microburst::redis(redis.port());
    let world = World::new("fault-broken-off", Some(proxy.port()));
    let url = format!("redis://127.0.0.1:{}/{}", proxy.port(), world.name);
    for fault in [
        json!({ "operation": "get", "cut_reply": { "after_bytes": 5000 } }),
        json!({ "operation": "get", "reset": true }),
        json!({ "operation": "get", "error": { "code": "LOADING", "message": "Redis is loading the dataset in memory" } }),
    ] {
        proxy.rules(&json!([fault]));
        world.pull(world.local.rstack([]), &world.environment()).expect(0);
        world.assert_pulled();
        assert!(proxy.fired() > 0, "{fault} was never used");
        let refused = world.pull(world.local.rstack([]), &url).expect(1);
        assert!(refused.stderr.contains("redis"), "{refused}");
        let mut once = fault.clone();
        once["times"] = json!(1);
        proxy.rules(&json!([once]));
        world.pull(world.local.rstack([]), &url).expect(0);
        world.assert_pulled();
    }
}
