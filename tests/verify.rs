//! `rstack verify`, on an environment of the local AWS.

use bytes::Bytes;
use futures_util::TryStreamExt;
use insta::assert_snapshot;
use rstack::store::{Body, DynamoDbStore, Put, RedisStore, S3Store, Store};
use serde_json::Value;

use crate::support::{Output, Workspace, block_on};

/// Two releases, as plain files too.
fn two_releases(what: &str) -> Workspace {
    let world = Workspace::new(what);
    world.write("src/a.py", "a = 1\n");
    world.write("src/b.py", "b = 1\n");
    world.seed("./src", &[]).expect(0);
    world.write("src/a.py", "a = 2\n");
    world.seed("./src", &[]).expect(0);
    world
}

fn verify(world: &Workspace, more: &[&str]) -> Output {
    world.run(&[&["verify", &world.name], more].concat())
}

/// The exit code and `data` of the JSON form.
fn looked(world: &Workspace, more: &[&str]) -> (Option<i32>, Value) {
    let output = verify(world, &[&["--output", "json"], more].concat());
    let result = output.json_lines().pop().expect("a result");
    (output.code(), result["data"].clone())
}

/// S3, DynamoDB, Redis.
async fn stores(world: &Workspace) -> [Box<dyn Store>; 3] {
    let aws = world.local.aws().await;
    let redis = world.local.redis_url().parse().expect("an address");
    [
        Box::new(S3Store::new(aws.s3().clone(), format!("{}-bucket", world.name))),
        Box::new(DynamoDbStore::new(
            aws.dynamodb().clone(),
            format!("{}-table", world.name),
        )),
        Box::new(RedisStore::new(redis)),
    ]
}

/// A plain file of the area.
fn in_redis(world: &Workspace, path: &str) -> Option<Bytes> {
    block_on(async {
        let [.., redis] = stores(world).await;
        let found = redis.get_many(&[format!("{}/{path}", world.name)]).await;
        found.expect("values").into_iter().next().flatten()
    })
}

fn empty_redis(world: &Workspace) {
    block_on(async {
        let [.., redis] = stores(world).await;
        let pages: Vec<_> = redis
            .list(&format!("{}/", world.name))
            .try_collect()
            .await
            .expect("pages");
        let keys: Vec<String> = pages.concat().into_iter().map(|listed| listed.key).collect();
        redis.delete_many(&keys).await.expect("gone");
    });
}

/// The only key that begins so.
async fn key(world: &Workspace, store: &dyn Store, below: &str) -> String {
    let pages: Vec<_> = store
        .list(&format!("{}/{below}", world.name))
        .try_collect()
        .await
        .expect("pages");
    let mut keys: Vec<String> = pages.concat().into_iter().map(|listed| listed.key).collect();
    keys.sort();
    keys.into_iter().next().expect("a key")
}

async fn flip(store: &dyn Store, key: &str) {
    let found = store.get_many(&[key.to_owned()]).await.expect("a value");
    let mut value = found.into_iter().next().flatten().expect("a value").to_vec();
    let middle = value.len() / 2;
    value[middle] ^= 1;
    write(store, key, value).await;
}

async fn write(store: &dyn Store, key: &str, value: impl Into<Bytes>) {
    let put = Put {
        key: key.to_owned(),
        body: Body::Bytes(value.into()),
    };
    let written = store.put_many(&mut std::iter::once(put), &|_, _| ()).await;
    written.expect("written");
}

fn states(report: &Value) -> Vec<&str> {
    let stores = report["stores"].as_array().expect("stores").iter();
    stores.map(|store| store["state"].as_str().expect("a state")).collect()
}

/// "store what key", each.
fn named(report: &Value) -> Vec<String> {
    let mut named = Vec::new();
    for store in report["stores"].as_array().expect("stores") {
        for found in store["differences"].as_array().expect("differences") {
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            named.push(format!(
                "{} {} {}",
                text(&store["store"]),
                text(&found["what"]),
                text(&found["key"])
            ));
        }
    }
    named
}

#[test]
fn a_byte_in_each_store_and_what_was_deleted_are_named_and_repaired() {
    let world = two_releases("verify");
    let (code, whole) = looked(&world, &[]);
    assert_eq!((code, states(&whole)), (Some(0), vec!["right"; 3]), "{whole}");
    assert_eq!((&whole["releases"], &whole["packs"]), (&2.into(), &2.into()));
    let name = &world.name;
    let expected = block_on(async {
        let [s3, dynamodb, redis] = stores(&world).await;
        let (pack, manifest) = (
            key(&world, &*s3, ".rstack/pack/").await,
            key(&world, &*dynamodb, ".rstack/release/").await,
        );
        flip(&*s3, &pack).await;
        flip(&*s3, &format!("{name}/a.py")).await;
        flip(&*dynamodb, &manifest).await;
        dynamodb.delete_many(&[format!("{name}/b.py")]).await.expect("gone");
        dynamodb
            .delete_many(&[format!("{name}/.rstack/move/1")])
            .await
            .expect("gone");
        flip(&*redis, &format!("{name}/.rstack/marker")).await;
        redis
            .delete_many(&[format!("{name}/.rstack/move/2")])
            .await
            .expect("gone");
        vec![
            format!("s3 damaged {pack}"),
            format!("s3 damaged {name}/a.py"),
            format!("dynamodb missing {name}/.rstack/move/1"),
            format!("dynamodb damaged {manifest}"),
            format!("dynamodb missing {name}/b.py"),
            format!("redis damaged {name}/.rstack/marker"),
            format!("redis missing {name}/.rstack/move/2"),
        ]
    });
    let (code, found) = looked(&world, &[]);
    assert_eq!(code, Some(3));
    assert_eq!(named(&found), expected);
    let shown = verify(&world, &[]).expect(3);
    for line in &expected {
        assert!(shown.stdout.contains(line), "{line}\n{shown}");
    }
    assert!(shown.stdout.contains("--repair` mends what can be mended"), "{shown}");
    let repaired = verify(&world, &["--repair"]).expect(0);
    assert_eq!(repaired.stdout.matches(", repaired").count(), 7, "{repaired}");
    let (code, whole) = looked(&world, &[]);
    assert_eq!((code, states(&whole)), (Some(0), vec!["right"; 3]), "{whole}");
}

#[test]
fn a_marker_that_lags_and_plain_files_of_an_older_release_are_told() {
    let world = two_releases("verify-lag");
    let name = &world.name;
    block_on(async {
        let [s3, ..] = stores(&world).await;
        let before = s3.get_many(&[format!("{name}/.rstack/move/1")]).await.expect("a move");
        let before = before.into_iter().next().flatten().expect("a move");
        write(&*s3, &format!("{name}/.rstack/marker"), before).await;
    });
    let (code, found) = looked(&world, &[]);
    assert_eq!(
        (code, states(&found)),
        (Some(3), vec!["lags", "right", "right"]),
        "{found}"
    );
    assert_eq!(found["stores"][0]["behind"], 1);
    let repaired = verify(&world, &["--repair"]).expect(0);
    assert!(repaired.stdout.contains("s3 was 1 move behind"), "{repaired}");

    world.write("src/a.py", "a = 3\n");
    let left = world.seed("./src", &["--no-plain"]).expect(0).stderr;
    assert!(left.contains(" --plain") && !left.contains("--no-plain"), "{left}");
    let (code, found) = looked(&world, &["--repair"]);
    assert_eq!(code, Some(3));
    let outdated = |store: &str| format!("{store} outdated {name}/a.py");
    assert_eq!(named(&found), ["s3", "dynamodb", "redis"].map(outdated));
    let shown = verify(&world, &[]).expect(3).stdout;
    assert!(
        shown.contains("seed DIR --plain") && !shown.contains("--repair"),
        "{shown}"
    );
    world.seed("./src", &["--plain"]).expect(0);
    assert_eq!(looked(&world, &[]).0, Some(0));
}

#[test]
fn a_redis_that_does_not_answer_is_a_row_and_an_area_without_releases_is_an_error() {
    let world = two_releases("verify-redis");
    let (code, found) = looked(&world, &["--redis-url", "redis://127.0.0.1:1"]);
    assert_eq!(
        (code, states(&found)),
        (Some(3), vec!["right", "right", "unreachable"]),
        "{found}"
    );
    let hint = found["stores"][2]["hint"].as_str().expect("a hint");
    assert!(hint.contains("rstack verify"), "{hint}");
    assert_snapshot!(world.run(&["verify", "nothing"]), @r"
    exit: 1
    --- stdout

    --- stderr
    error: there is no release in area `nothing` of table `[NAME]-table`
    hint: `rstack seed DIR --area AREA` publishes one
    ");
}

#[test]
fn a_damaged_list_of_plain_files_hides_none_of_them_and_is_written_anew() {
    let world = two_releases("verify-ledger");
    let name = &world.name;
    let ledger = format!("{name}/.rstack/files");
    block_on(async {
        let [s3, ..] = stores(&world).await;
        flip(&*s3, &format!("{name}/a.py")).await;
        write(&*s3, &ledger, "nonsense").await;
    });
    let (code, found) = looked(&world, &[]);
    assert_eq!(code, Some(3));
    assert_eq!(
        named(&found),
        [format!("s3 damaged {ledger}"), format!("s3 damaged {name}/a.py")]
    );
    let shown = verify(&world, &["--repair"]).expect(0);
    let words = "the list of the plain files that were written cannot be read, repaired";
    assert!(shown.stdout.contains(words), "{shown}");
    assert_eq!(looked(&world, &[]).0, Some(0));
    block_on(async {
        let [s3, ..] = stores(&world).await;
        flip(&*s3, &format!("{name}/a.py")).await;
    });
    let (code, found) = looked(&world, &[]);
    assert_eq!(code, Some(3));
    assert_eq!(named(&found), [format!("s3 damaged {name}/a.py")]);
    verify(&world, &["--repair"]).expect(0);
    world.seed("./src", &["--plain"]).expect(0);
    let (_, whole) = looked(&world, &[]);
    assert_eq!(states(&whole), ["right"; 3], "{whole}");
}

#[test]
fn a_marker_in_redis_that_is_no_value_at_all_is_replaced() {
    let world = two_releases("verify-list");
    let marker = format!("{}/.rstack/marker", world.name);
    let client = redis::Client::open(world.local.redis_url()).expect("an address");
    let mut connection = client.get_connection().expect("a connection");
    let mut pipeline = redis::pipe();
    pipeline.cmd("DEL").arg(&marker).cmd("LPUSH").arg(&marker).arg("a");
    pipeline.exec(&mut connection).expect("a list");
    let (code, found) = looked(&world, &[]);
    assert_eq!(
        (code, named(&found)),
        (Some(3), vec![format!("redis damaged {marker}")])
    );
    let shown = verify(&world, &["--repair"]).expect(0);
    assert!(shown.stdout.contains("repaired"), "{shown}");
    let (code, found) = looked(&world, &[]);
    assert_eq!((code, states(&found)), (Some(0), vec!["right"; 3]), "{found}");
}

#[test]
fn a_redis_that_was_emptied_is_not_behind_once_it_is_repaired_or_seeded() {
    let world = two_releases("verify-emptied");
    let name = &world.name;
    empty_redis(&world);
    assert_eq!(states(&looked(&world, &[]).1)[2], "lags");
    verify(&world, &["--repair"]).expect(0);
    let status = world.run(&["status"]).expect(0);
    assert!(!status.stdout.contains("behind"), "{status}");
    // Plain files come back too, and are known, so that they go once the tree has them no more.
    assert_eq!(in_redis(&world, "a.py").as_deref(), Some(&b"a = 2\n"[..]));
    assert_eq!(looked(&world, &[]).0, Some(0));
    world.write("other/b.py", "b = 1\n");
    world.seed("./other", &[]).expect(0);
    assert_eq!(in_redis(&world, "a.py"), None);
    world.seed("./src", &[]).expect(0);
    // Older manifests do not come back by seeding, which is no damage.
    empty_redis(&world);
    world.seed("./src", &[]).expect(0);
    let source = format!("{}/{name}", world.local.redis_url().trim_end_matches('/'));
    let history = world.run(&["releases", &source]).expect(0);
    assert!(history.stderr.is_empty(), "{history}");
    let second = history.stdout.lines().nth(2).expect("the first move");
    assert!(second.contains("?  ?  ?"), "{history}");
    assert_eq!(looked(&world, &[]).0, Some(0));
}

#[test]
fn plain_files_come_back_that_only_one_durable_store_can_hold() {
    let world = two_releases("verify-large");
    world.write("src/large.txt", "x".repeat(500_000));
    world.seed("./src", &[]).expect(3);
    empty_redis(&world);
    verify(&world, &["--repair"]).expect(0);
    assert_eq!(in_redis(&world, "large.txt").map(|value| value.len()), Some(500_000));
    assert_eq!(looked(&world, &[]).0, Some(0));
}

#[test]
fn plain_files_of_another_environment_in_the_same_redis_are_left_alone() {
    let (world, other) = (two_releases("verify-foreign"), two_releases("verify-other"));
    other.write("src/a.py", "other = 1\n");
    other
        .run(&["seed", "./src", "--area", &world.name, "--plain"])
        .expect(0);
    verify(&world, &["--repair"]);
    assert_eq!(in_redis(&world, "a.py").as_deref(), Some(&b"other = 1\n"[..]));
}

#[test]
fn a_store_that_missed_a_move_of_the_same_second_is_the_one_that_is_behind() {
    let world = two_releases("verify-second");
    world.write("src/a.py", "a = 3\n");
    let lags = world
        .seed("./src", &["--no-plain", "--redis-url", "redis://127.0.0.1:1"])
        .expect(3);
    assert!(
        lags.stdout.contains("but a store lags") && lags.stderr.contains(" --no-plain"),
        "{lags}"
    );
    let status = world.run(&["status"]).expect(0);
    let line = status.stdout.lines().find(|line| line.contains("redis (behind)"));
    assert!(line.is_some_and(|line| !line.contains("s3 (behind)")), "{status}");
}

#[test]
fn a_store_whose_marker_alone_is_old_is_behind_too() {
    let world = two_releases("verify-marker");
    block_on(async {
        let [s3, ..] = stores(&world).await;
        let marker = format!("{}/.rstack/marker", world.name);
        let old = s3
            .get_many(std::slice::from_ref(&marker))
            .await
            .expect("a marker")
            .remove(0);
        world.write("src/a.py", "a = 3\n");
        world.seed("./src", &[]).expect(0);
        write(&*s3, &marker, old.expect("a marker")).await;
    });
    let status = world.run(&["status"]).expect(0);
    let line = status.stdout.lines().find(|line| line.contains("s3 (behind)"));
    assert!(line.is_some_and(|line| !line.contains("redis (behind)")), "{status}");
    block_on(async {
        let [s3, ..] = stores(&world).await;
        let marker = format!("{}/.rstack/marker", world.name);
        s3.delete_many(&[marker]).await.expect("lost");
    });
    let status = world.run(&["status"]).expect(0).stdout;
    assert!(
        status.contains("s3 (marker missing or damaged), dynamodb, redis"),
        "{status}"
    );
}

#[test]
fn a_damaged_move_or_manifest_hides_no_other() {
    let world = two_releases("verify-history");
    world.write("src/a.py", "a = 3\n");
    world.seed("./src", &[]).expect(0);
    let name = &world.name;
    let manifest = format!(
        "{name}/.rstack/release/{}",
        world.moves()[0]["release"].as_str().expect("an id")
    );
    block_on(async {
        for store in stores(&world).await {
            flip(&*store, &format!("{name}/.rstack/move/2")).await;
            flip(&*store, &manifest).await;
        }
    });
    let source = format!("s3://{name}-bucket/{name}");
    let fresh = ["RSTACK_CACHE", "off"];
    let shown = world
        .local
        .rstack(["releases", &source, "-n", name])
        .env(fresh[0], fresh[1])
        .hide(name, "[NAME]")
        .run();
    assert_snapshot!(shown, @r#"
    exit: 3
    --- stdout
    MOVE     RELEASE           TIME                  BY  WHAT                       FILES  +  ~  -  WHY
       3  *  [RELEASE]  [TIME]  me  publish, manifest damaged      ?  ?  ?  ?
       2                                                 damaged                        ?  ?  ?  ?
       1     [RELEASE]  [TIME]  me  publish                        2  2  0  0

    --- stderr
    [CLOCK] warning: s3: "[NAME]/.rstack/move/2": this marker is damaged: it is not what its checksum says
    [CLOCK] hint: `rstack verify --name [NAME] --local [NAME] --repair` copies it from a store that has it right
    [CLOCK] warning: s3: "[NAME]/.rstack/release/[RELEASE]": what is stored here is not what its name says: its hash differs
    [CLOCK] hint: `rstack verify --name [NAME] --local [NAME] --repair` copies it from a store that has it right
    "#);
}

#[test]
fn a_damaged_list_of_areas_is_told_and_written_anew() {
    let world = two_releases("verify-areas");
    let key = ".rstack/areas";
    block_on(async {
        let [s3, table, _] = stores(&world).await;
        for store in [s3, table] {
            let put = Put {
                key: key.to_owned(),
                body: Body::Bytes(Bytes::from_static(b"garbage{")),
            };
            let written = store.put_many(&mut std::iter::once(put), &|_, _| ()).await;
            written.expect("written");
        }
    });
    world.write("src/a.py", "a = 3\n");
    let refused = world.seed("./src", &[]).expect(1);
    assert!(refused.stderr.contains("rstack verify"), "{refused}");
    let told = verify(&world, &[]).expect(3);
    assert_eq!(told.stdout.matches(key).count(), 2, "{told}");
    verify(&world, &["--repair"]).expect(0);
    verify(&world, &[]).expect(0);
    world.seed("./src", &[]).expect(0);
    let inside = format!("{}/in", world.name);
    let refused = world.run(&["seed", "./src", "--area", &inside]).expect(1);
    assert!(refused.stderr.contains("lie one inside the other"), "{refused}");
}
