//! Seeds that are cut off, killed, or get in each other's way, and stores that are not there.

use std::thread::sleep;
use std::time::Duration;

use insta::assert_snapshot;
use rstack::store::{Body, Put};

use super::world::{Dir, World, files, many, told};
use crate::support::redis::Redis;
use crate::support::{Signal, block_on};

/// Said once sending to S3 has begun.
const SENDING: &str = r#""name":"send","store":"s3""#;

#[test]
fn a_killed_seed_is_completed_by_the_next_one() {
    let world = World::new("seed-killed");
    world.seed_dir(Dir::new(&many(20, 10, 1)).path()).run().expect(0);
    let wanted = many(1500, 200, 2);
    let dir = Dir::new(&wanted);
    let mut seed = world.seed_dir(dir.path()).args(["--output", "json"]).spawn();
    seed.until(SENDING).signal(Signal::KILL);
    assert_eq!(seed.wait().code(), None);
    let s3 = world.held()[0].len();
    assert!(s3 < 1500, "it was killed before the end, with {s3} files there");
    let area = block_on(rstack::publish::areas(&*world.stores()[0], &stack_id(&world))).expect("areas");
    assert!(!area[&world.name].complete, "the index says that it is not complete");

    let output = world.seed_dir(dir.path()).args(["--output", "json"]).run().expect(0);
    let result = output.json_lines().pop().expect("a result");
    assert!(result["data"]["stores"][0]["unchanged"].as_u64() > Some(0), "{result}");
    world.assert_held(&wanted);
}

#[test]
fn ctrl_c_finishes_what_is_in_flight_and_says_how_far_it_came() {
    let world = World::new("seed-ctrl-c");
    let wanted = many(1500, 200, 1);
    let dir = Dir::new(&wanted);
    for signal in [Signal::INT, Signal::TERM] {
        let mut seed = world.seed_dir(dir.path()).args(["--output", "json"]).spawn();
        seed.until(SENDING).signal(signal);
        let output = seed.wait().expect(130);
        let error = output.json_lines().pop().expect("an error");
        let message = error["message"].as_str().expect("a message");
        assert!(
            message.contains("s3 has ") && message.contains(" of 1500 files"),
            "{message}"
        );
        assert!(message.contains("redis was not begun"), "{message}");
    }
    world.seed_dir(dir.path()).run().expect(0);
    world.assert_held(&wanted);
}

#[test]
fn a_seed_that_is_overtaken_in_its_plain_files_writes_those_of_the_later_release() {
    let world = World::new("seed-race");
    let (first, second) = (many(1500, 200, 1), many(30, 100, 2));
    let (dir, other) = (Dir::new(&first), Dir::new(&second));
    let mut seed = world.seed_dir(dir.path()).args(["--output", "json"]).spawn();
    seed.until(SENDING).signal(Signal::STOP);
    world.seed_dir(other.path()).run().expect(0);
    seed.signal(Signal::CONT);
    let output = seed.wait().expect(0);
    assert!(output.stdout.contains("others published to area"), "{output}");
    world.assert_held(&second);
}

#[test]
fn a_seed_that_is_overtaken_before_its_plain_files_writes_those_of_the_later_release() {
    let world = World::new("seed-overtaken");
    let (first, second) = (many(20, 200, 1), many(30, 100, 2));
    let (dir, other) = (Dir::new(&first), Dir::new(&second));
    // Its plain files wait for the copies of the release, and one of these for Redis.
    let redis = Redis::start(&[]);
    redis.signal(Signal::STOP);
    let seed = world.seed_dir(dir.path()).args(["--redis-url", &redis.url()]).spawn();
    let [s3, ..] = world.stores();
    let copy = [format!("{}/.rstack/marker", world.name)];
    while block_on(s3.get_many(&copy)).expect("an answer")[0].is_none() {
        sleep(Duration::from_millis(5));
    }
    world.seed_dir(other.path()).run().expect(0);
    redis.signal(Signal::CONT);
    let output = seed.wait().expect(0);
    assert!(output.stderr.contains("others published to area"), "{output}");
    world.assert_held(&second);
    assert!(block_on(super::world::held(&redis.store(), &world.name)) == second);
}

#[test]
fn without_a_release_the_seed_that_was_overtaken_says_so() {
    let world = World::new("seed-race-plain");
    let (first, second) = (many(1500, 200, 1), many(30, 100, 2));
    let (dir, other) = (Dir::new(&first), Dir::new(&second));
    let only = ["--store", "s3,redis"];
    let mut seed = world.seed_dir(dir.path()).args(only).args(["--output", "json"]).spawn();
    seed.until(SENDING).signal(Signal::STOP);
    world.seed_dir(other.path()).args(only).run().expect(0);
    seed.signal(Signal::CONT);
    let output = seed.wait().expect(3);
    let result = output.json_lines().pop().expect("a result");
    for (store, state) in [(0, "raced"), (1, "held_back")] {
        assert_eq!(result["data"]["stores"][store]["state"], state, "{result}");
    }
    // Whoever goes again has it all.
    world.seed_dir(other.path()).args(only).run().expect(0);
    let [s3, _, redis] = world.held();
    assert!(s3 == second && redis == second);
}

#[test]
fn redis_killed_in_the_middle_lags_until_the_next_seed() {
    let world = World::new("seed-lag");
    let redis = Redis::start(&[]);
    let wanted = many(800, 200, 1);
    let dir = Dir::new(&wanted);
    let url = redis.url();
    let seed = || {
        world
            .seed_dir(dir.path())
            .args(["--output", "json", "--redis-url", &url])
    };
    let mut running = seed().spawn();
    running.until(SENDING);
    drop(redis);
    let output = running.wait().expect(3);
    let result = output.json_lines().pop().expect("a result");
    let states: Vec<_> = result["data"]["stores"]
        .as_array()
        .expect("stores")
        .iter()
        .map(|s| &s["state"])
        .collect();
    assert_eq!(states, ["done", "done", "failed"], "{result}");
    let redis = &result["data"]["stores"][2];
    assert_eq!(redis["unreachable"], true, "{redis}");

    let redis = Redis::start_at(&url);
    let output = seed().run().expect(0);
    let result = output.json_lines().pop().expect("a result");
    assert_eq!(result["data"]["stores"][0]["sent"], 0, "{result}");
    assert_eq!(result["data"]["stores"][2]["sent"], 800, "{result}");
    assert!(block_on(super::world::held(&redis.store(), &world.name)) == wanted);
}

#[test]
fn without_a_durable_store_nothing_is_published() {
    let world = World::new("seed-behind");
    block_on(async {
        let aws = crate::support::local::shared().aws().await;
        aws.dynamodb()
            .delete_table()
            .table_name(world.output("TableName"))
            .send()
            .await
            .expect("deleted");
    });
    let table = world.output("TableName").replace(&world.name, "");
    assert_snapshot!(told(&world.seed([]).hide(table, "[TABLE]").run()), @r#"
        exit: 1
        --- stdout

        --- stderr
        error: dynamodb: table `[NAME][TABLE]` does not exist: DynamoDB BatchGetItem was refused with ResourceNotFoundException: Requested resource not found (request [UUID])
        hint: check the name, the region and the account; what an environment has lost, `rstack down` and `rstack up` make anew
        "#);
    let stores = world.stores();
    for store in [&stores[0], &stores[2]] {
        assert_eq!(block_on(super::world::held(&**store, &world.name)).len(), 0);
    }
    world.seed(["--store", "dynamodb"]).run().expect(1);
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_noticed() {
    let world = World::new("seed-moving");
    let wanted = many(1500, 200, 1);
    let dir = Dir::new(&wanted);
    let mut seed = world.seed_dir(dir.path()).args(["--output", "json"]).spawn();
    seed.until(SENDING).signal(Signal::STOP);
    for (path, content) in &many(1500, 200, 2) {
        dir.write(path, content);
    }
    seed.signal(Signal::CONT);
    // The release, which was made before, has what was there then.
    let output = seed.wait().expect(3);
    let lines = output.json_lines();
    let warning = lines.iter().find(|line| line["type"] == "warning").expect("a warning");
    let message = warning["message"].as_str().expect("a message");
    assert!(message.contains("changed while it was being read"), "{warning}");
    world.seed_dir(dir.path()).run().expect(0);
    world.assert_held(&many(1500, 200, 2));
}

#[test]
fn own_keys_are_removed_from_a_redis_that_stays() {
    let world = World::new("seed-own-keys");
    let other = World::new("seed-other-keys");
    other.seed([]).run().expect(0);
    world
        .seed_dir(Dir::new(&files([("a.py", b"1"), ("b.py", b"2")])).path())
        .run()
        .expect(0);
    let redis = &world.stores()[2];
    let removed = block_on(rstack::publish::remove_own_keys(&**redis, &stack_id(&world))).expect("removed");
    assert_eq!(
        removed, 8,
        "two files, ledger, marker, its confirmation, move, manifest and pack"
    );
    let keys: Vec<_> = block_on(futures_util::TryStreamExt::try_collect(redis.list(&world.name))).expect("pages");
    assert_eq!(keys.concat(), []);
    assert!(
        block_on(rstack::publish::areas(&**redis, &stack_id(&world)))
            .expect("areas")
            .is_empty()
    );
    assert_eq!(other.held()[2].len(), 7, "what belongs to others stays");
    let again = block_on(rstack::publish::remove_own_keys(&**redis, &stack_id(&world))).expect("nothing to do");
    assert_eq!(again, 0);
}

#[test]
fn a_ledger_that_cannot_be_read_is_written_anew() {
    let world = World::new("seed-damaged");
    world
        .seed_dir(Dir::new(&files([("old.py", b"1")])).path())
        .run()
        .expect(0);
    let key = format!("{}/.rstack/files", world.name);
    let damage = || {
        for store in world.stores() {
            let put = Put {
                key: key.clone(),
                body: Body::Bytes("no ledger".into()),
            };
            block_on(store.put_many(&mut [put].into_iter(), &|_, _| ())).expect("stored");
        }
    };
    damage();
    let wanted = files([("new.py", b"2")]);
    let dir = Dir::new(&wanted);
    let output = world.seed_dir(dir.path()).run().expect(0);
    assert!(
        output.stderr.contains("this record of rstack's cannot be read"),
        "{output}"
    );
    world.assert_held(&files([("new.py", b"2"), ("old.py", b"1")]));
    let again = world.seed_dir(dir.path()).run().expect(0);
    assert!(!again.stderr.contains("cannot be read"), "{again}");

    damage();
    let redis = &world.stores()[2];
    block_on(rstack::publish::remove_own_keys(&**redis, &stack_id(&world))).expect("removed");
    let keys: Vec<_> = block_on(futures_util::TryStreamExt::try_collect(redis.list(&world.name))).expect("pages");
    assert_eq!(keys.concat(), []);
}

fn stack_id(world: &World) -> String {
    let aws = crate::support::local::shared();
    let stack = block_on(async { rstack::stack::describe(&aws.aws().await, &world.name).await });
    stack.expect("an answer").expect("a stack").id
}
