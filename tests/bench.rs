//! `rstack bench`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::TryStreamExt as _;
use rstack::store::{DynamoDbStore, S3Store, Store};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::local::{LocalAws, shared, unique};
use crate::support::redis::Redis;
use crate::support::scripted::Script;
use crate::support::terminal::session;
use crate::support::{Output, Rstack, Signal, block_on, environment};

/// Source, way and readers of each row, and the rows.
fn rows(output: &Output) -> (Vec<String>, Vec<Value>) {
    let result = output.json_lines().pop().expect("a result");
    let rows = result["data"]["loads"].as_array().expect("loads").clone();
    let name = |row: &Value| {
        let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text("source"), text("way"), row["readers"])
    };
    (rows.iter().map(name).collect(), rows)
}

/// Keys of scratch areas that are left in any store of an environment, and in the indexes of areas.
fn left_behind(local: &LocalAws, name: &str, redis: &str) -> Vec<String> {
    block_on(async {
        let aws = local.aws().await;
        let redis = rstack::store::RedisStore::new(redis.parse().expect("an address"));
        let stores: [Box<dyn Store>; 3] = [
            Box::new(S3Store::new(aws.s3().clone(), format!("{name}-bucket"))),
            Box::new(DynamoDbStore::new(aws.dynamodb().clone(), format!("{name}-table"))),
            Box::new(redis),
        ];
        let mut left = Vec::new();
        for store in &stores[..2] {
            let pages: Vec<_> = store.list("bench-").try_collect().await.expect("a listing");
            left.extend(pages.into_iter().flatten().map(|listed| listed.key));
        }
        for store in &stores {
            let index = store
                .get_many(&[".rstack/areas".to_owned()])
                .await
                .expect("an index")
                .remove(0);
            let index = String::from_utf8(index.unwrap_or_default().to_vec()).expect("text");
            let index: Value = serde_json::from_str(&index).unwrap_or_default();
            let areas = index["areas"].as_object().cloned().unwrap_or_default();
            let own = |record: &Value| {
                record["stack"]
                    .as_str()
                    .is_some_and(|stack| stack.contains(&format!("/{name}/")))
            };
            left.extend(
                areas
                    .into_iter()
                    .filter(|(area, record)| area.starts_with("bench-") && own(record))
                    .map(|(area, _)| area),
            );
        }
        left
    })
}

/// An environment that has nothing in it.
fn stood(what: &str) -> (&'static LocalAws, String) {
    let (local, name) = (shared(), unique(what));
    environment::made(local, &name);
    (local, name)
}

#[test]
fn an_environment_is_timed_as_a_whole_and_by_each_store_in_every_way_that_applies() {
    // Others publish to `main` of the shared Redis.
    let (local, name, redis) = (shared(), unique("bench"), Redis::start(&[]));
    environment::made_with_redis(local, &name, redis.port());
    local.done(["seed", "-n", &name]);
    let folder = TempDir::new().expect("a folder");
    let (svg, csv) = (folder.path().join("chart.svg"), folder.path().join("times.csv"));
    let files = [svg.to_str().expect("text"), csv.to_str().expect("text")];
    let run = [
        "bench", "-n", &name, "--repeat", "2", "--plot", files[0], "--csv", files[1], "--output", "json",
    ];
    let output = local.rstack(run).run().expect(0);
    let (names, rows) = rows(&output);
    let store = |store: &str| ["each", "batched", "cold", "warm", "read"].map(|way| format!("{store} {way} 1"));
    let whole = ["cold", "warm", "publish"].map(|way| format!("env:{name}/main {way} 1"));
    let expected: Vec<String> = whole
        .into_iter()
        .chain(["s3", "dynamodb", "redis"].into_iter().flat_map(store))
        .collect();
    assert_eq!(names, expected);
    for row in &rows {
        let figure = |key: &str| row[key].as_f64().unwrap_or_else(|| panic!("{key} of {row}"));
        let (single, files) = (row["way"] == "read", row["files"].as_u64().expect("a number"));
        assert_eq!(
            (row["seconds"].as_array().map(Vec::len), files),
            if single { (Some(40), 1) } else { (Some(2), 7) }
        );
        assert!(
            figure("minimum") > 0.0 && figure("minimum") <= figure("median"),
            "{row}"
        );
        assert!(
            figure("median") <= figure("p95") && figure("p95") <= figure("p99"),
            "{row}"
        );
        assert!(
            figure("requests") >= figure("round_trips") && figure("received") > 0.0,
            "{row}"
        );
        let steps = match row["way"].as_str() {
            Some("each") => 7,
            Some("cold") => 2,
            Some("warm" | "read" | "batched") => 1,
            _ => continue,
        };
        assert_eq!(row["round_trips"], steps, "{row}");
    }
    let drawn = fs::read_to_string(&svg).expect("the chart");
    assert!(
        drawn.contains("\nLoading and publishing 7 files, 10.3 KiB, and reading one value\n")
            && drawn.contains("\nmedians of 2 runs and of 40 reads; lines from the fastest to P95\n")
            && drawn.contains("\ndynamodb\n"),
        "{drawn}"
    );
    for (what, file) in [("chart is", files[0]), ("figures are", files[1])] {
        let said = format!("the {what} in `{file}`");
        assert!(
            output.json_lines().iter().any(|line| line["message"] == said.as_str()),
            "{output}"
        );
    }
    let lines = fs::read_to_string(&csv).expect("the figures");
    assert_eq!(lines.lines().count(), 1 + rows.len(), "{lines}");
    assert!(lines.lines().all(|line| line.split(',').count() == 17), "{lines}");
    assert_eq!(
        left_behind(local, &name, &redis.url()),
        Vec::<String>::new(),
        "what `publish` made is gone"
    );
}

#[test]
fn scaled_scripts_are_published_read_and_removed_also_when_interrupted() {
    let (local, name) = stood("bench-scale");
    let ways = ["--scale", "20", "--way", "each,release,publish", "--output", "json"];
    let output = local
        .rstack(["bench", "-n", &name, "--repeat", "1"].into_iter().chain(ways))
        .run()
        .expect(0);
    let (names, rows) = rows(&output);
    assert_eq!(names.len(), 12, "{names:?}");
    assert!(rows.iter().all(|row| row["files"] == 140), "{rows:?}");
    assert!(
        output.stdout.contains("\"name\":\"send\""),
        "progress of publishing: {}",
        output.stdout
    );
    assert_eq!(left_behind(local, &name, local.redis_url()), Vec::<String>::new());
    let folder = TempDir::new().expect("a folder");
    let [plot, csv] = ["chart.svg", "times.csv"].map(|file| folder.path().join(file).display().to_string());
    let call = local.rstack(["bench", "-n", &name, "--scale", "20", "--repeat", "9999"]);
    let mut running = call.args(["--plot", &plot, "--csv", &csv, "--output", "json"]).spawn();
    running.until("\"name\":\"measure\"").signal(Signal::INT);
    running.wait().expect(130);
    assert_eq!(left_behind(local, &name, local.redis_url()), Vec::<String>::new());
    let written = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(written, 0, "nothing half-written");
}

#[test]
fn two_at_once_measure_the_same_environment_and_leave_nothing() {
    let (local, name) = stood("bench-two");
    let call = [
        "bench", "-n", &name, "--scale", "3", "--repeat", "2", "--output", "json",
    ];
    let both = [(); 2].map(|()| local.rstack(call).spawn());
    for running in both {
        let (names, rows) = rows(&running.wait().expect(0));
        assert!(
            rows.iter().all(|row| row["files"] == 21 || row["way"] == "read"),
            "{names:?}"
        );
    }
    assert_eq!(left_behind(local, &name, local.redis_url()), Vec::<String>::new());
}

#[test]
fn a_terminal_gets_as_many_columns_as_it_has_room_for() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("x.py"), "x = 1\n").expect("a file");
    let source = format!("{}/", folder.path().display());
    let at = |columns| {
        let session = session(&["bench", &source, "--repeat", "2"], &[("NO_COLOR", "1")], columns, &[]);
        assert_eq!(session.code, 0, "{}", session.text);
        assert!(session.text.contains('█'), "{}", session.text);
        session.text
    };
    let narrow = at(40);
    assert!(narrow.contains("MEDIAN") && !narrow.contains("TRIPS"), "{narrow}");
    let wide = at(200);
    assert!(wide.contains("FILES/S") && wide.contains("RECEIVED"), "{wide}");
    // A terminal that does not say how wide it is.
    assert!(at(0).contains("MEDIAN"));
}

#[test]
fn a_delay_is_checked_and_each_round_trip_takes_longer_by_it() {
    let (local, name) = stood("bench-delay");
    let asked = [
        "--delay",
        "redis=8ms,dynamodb=12ms,s3=20ms",
        "--way",
        "read,cold",
        "--repeat",
        "3",
    ];
    let call = local.rstack(
        ["bench", "-n", &name, "--scale", "1", "--output", "json"]
            .into_iter()
            .chain(asked),
    );
    let output = call.run().expect(0);
    let delays = output.json_lines().pop().expect("a result")["data"]["delays"].clone();
    assert_eq!(delays.as_array().map(Vec::len), Some(3), "{delays}");
    for delay in delays.as_array().expect("delays") {
        let [asked, measured] = ["asked", "measured"].map(|key| delay[key].as_f64().expect("seconds"));
        assert!((measured - asked).abs() <= asked / 10.0, "{delay}");
    }
    let (names, rows) = rows(&output);
    for (source, least) in [("redis", 0.008), ("dynamodb", 0.012), ("s3", 0.02)] {
        let least_of = |way: &str| {
            let row = names
                .iter()
                .position(|name| *name == format!("{source} {way} 1"))
                .expect(way);
            rows[row]["minimum"].as_f64().expect("seconds")
        };
        assert!(least_of("read") >= least, "{rows:?}");
        assert!(least_of("cold") >= 2.0 * least, "two steps: {rows:?}");
    }
    for wrong in ["s3=fast", "disk=1ms", "s3"] {
        local.rstack(["bench", "-n", &name, "--delay", wrong]).run().expect(2);
    }
    for (source, complaint) in [
        ("s3://bucket/area", "is for the local AWS"),
        ("./src", "none of these sources reads"),
    ] {
        let output = Rstack::new()
            .args(["bench", source, "--delay", "s3=1ms"])
            .run()
            .expect(2);
        assert!(output.stderr.contains(complaint), "{output}");
    }
}

#[test]
fn another_redis_has_no_delay_before_it_and_messages_name_servers_as_they_were_given() {
    let local = shared();
    let redis = Redis::start(&[]);
    let foreign = format!("{}/area", redis.url());
    let delayed = ["bench", &foreign, "--delay", "redis=2ms", "--way", "cold"];
    let output = local.rstack(delayed).run().expect(2);
    assert!(output.stderr.contains("reads another one"), "{output}");
    let source = format!("{}/no-such-area", local.redis_url());
    let delayed = [
        "bench",
        &source,
        "./src",
        "--delay",
        "redis=2ms",
        "--way",
        "cold",
        "--repeat",
        "1",
    ];
    let output = local.rstack(delayed).dir(env!("CARGO_MANIFEST_DIR")).run().expect(3);
    let address = local.redis_url().trim_start_matches("redis://");
    assert!(
        output.stdout.contains("no-such-area") && output.stdout.contains(address),
        "{output}"
    );
    let alone = ["bench", &source, "--delay", "redis=2ms", "--way", "cold"];
    let output = local.rstack(alone).run().expect(1);
    let last = output.stderr.lines().find(|line| line.starts_with("error: "));
    assert!(last.is_some_and(|error| error.contains(address)), "{output}");
}

#[test]
fn a_source_that_no_way_applies_to_is_told() {
    let (local, name) = stood("bench-left-out");
    let area = unique("left-out");
    local.done(["seed", "-n", &name, "--area", &area]);
    let (whole, redis) = (format!("env:{name}/{area}"), format!("{}/{area}", local.redis_url()));
    let sources = ["bench", &whole, &redis, "--way", "each", "--repeat", "1"];
    let output = local.rstack(sources).run().expect(0);
    let told = format!("none of the ways asked for applies to {whole}, which is left out");
    assert!(output.stderr.contains(&told), "{output}");
}

#[test]
fn readers_at_the_same_time_have_connections_of_their_own() {
    let (local, name) = stood("bench-readers");
    let call = [
        "bench",
        "-n",
        &name,
        "--scale",
        "1",
        "--way",
        "cold",
        "--concurrency",
        "1,4",
        "--repeat",
        "2",
        "--output",
        "json",
    ];
    let (names, rows) = rows(&local.rstack(call).run().expect(0));
    assert_eq!(names[..2], ["cold 1", "cold 4"].map(|row| format!("env:{name} {row}")));
    let requests = |row: usize| rows[row]["requests"].as_u64().expect("a number");
    assert_eq!(requests(1), 4 * requests(0), "{rows:?}");
    assert!(
        rows[..2].iter().all(|row| row["round_trips"] == 2),
        "as many for each reader: {rows:?}"
    );
    assert!(
        rows.iter()
            .all(|row| row["files_per_second"].as_f64().is_some_and(|rate| rate > 0.0))
    );
}

#[test]
fn every_source_is_loaded_cold_and_warm_as_often_as_asked() {
    let (local, name) = (shared(), unique("bench"));
    environment::made(local, &name);
    local.done(["seed", "-n", &name, "--area", &name, "--no-plain"]);
    let redis = format!("{}/{name}", local.redis_url().trim_end_matches('/'));
    let s3 = format!("s3://{name}-bucket/{name}");
    let run = |more: &[&str]| {
        let temporary = tempfile::TempDir::new().expect("a folder");
        let call = local.rstack([
            "bench", "-n", &name, &name, &redis, &s3, "--repeat", "3", "--way", "release",
        ]);
        let output = call
            .args(more.iter().copied())
            .env("TMPDIR", temporary.path())
            .run()
            .expect(0);
        let left = fs::read_dir(temporary.path()).expect("a folder").count();
        assert_eq!(left, 0, "its cache is gone");
        output
    };
    let result = run(&["--output", "json"]).json_lines().pop().expect("a result");
    let loads = result["data"]["loads"].as_array().expect("loads");
    let ways: Vec<_> = loads
        .iter()
        .map(|load| (load["source"].clone(), load["way"].clone()))
        .collect();
    let expected = [format!("env:{name}/{name}"), redis.clone(), s3.clone()];
    let expected = expected
        .iter()
        .flat_map(|source| ["cold", "warm"].map(|way| (source.as_str().into(), way.into())));
    assert_eq!(ways, expected.collect::<Vec<_>>());
    for load in loads {
        assert_eq!(
            (&load["files"], load["seconds"].as_array().map(Vec::len)),
            (&7.into(), Some(3)),
            "{load}"
        );
        assert!(load["median"].as_f64().is_some_and(|median| median > 0.0), "{load}");
    }
    let table = run(&[]).stdout;
    assert_eq!(table.lines().take_while(|line| !line.is_empty()).count(), 7, "{table}");
    assert!(table.starts_with("SOURCE"), "{table}");
    assert_eq!(table.matches('█').count().min(1), 1, "{table}");
    assert!(
        table.ends_with("medians of 3 runs; lines from the median to P95\n"),
        "{table}"
    );
}

#[test]
fn what_cannot_be_measured_is_said_in_its_row_and_the_rest_goes_on() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("x.py"), "x = 1\n").expect("a file");
    let good = format!("{}/", folder.path().display());
    let empty = TempDir::new().expect("a folder");
    let empty = format!("{}/", empty.path().display());
    let redis = Redis::start(&[]);
    let nothing = format!("{}/nothing", redis.url());
    let sources = [good.as_str(), "redis://127.0.0.1:1/prod", &nothing, &empty];
    let drawing = TempDir::new().expect("a folder");
    let picture = drawing.path().join("chart.svg").display().to_string();
    let output = Rstack::new()
        .args(["bench", "--repeat", "1", "--plot", &picture])
        .args(sources)
        .run()
        .expect(3);
    assert_eq!(
        output.stdout.matches(" failed").count(),
        6,
        "in the table, and among the bars: {output}"
    );
    let drawn = fs::read_to_string(&picture).expect("the chart");
    assert_eq!(drawn.matches("\nfailed\n").count(), 3, "{drawn}");
    for said in [
        "cannot be reached",
        "there is no release in area `nothing`",
        "has no file to publish",
    ] {
        assert!(output.stdout.contains(said), "{said}: {output}");
    }
    assert!(
        output.stdout.contains("hint: ") && output.stdout.contains('█'),
        "{output}"
    );
    let output = Rstack::new()
        .args(["bench", "--repeat", "1", "--output", "json"])
        .args(sources)
        .run()
        .expect(3);
    let (_, rows) = rows(&output);
    let problems: Vec<bool> = rows.iter().map(|row| row["problem"]["message"].is_string()).collect();
    assert_eq!(problems, [false, false, true, true, true]);
}

#[test]
fn what_comes_up_in_every_run_is_told_once() {
    let (local, name) = stood("bench");
    local.done(["seed", "-n", &name, "--area", &name, "--no-plain"]);
    let source = format!("redis://127.0.0.1:1/x?optional=1;s3://{name}-bucket/{name}");
    let output = local
        .rstack(["bench", "-n", &name, &source, "--repeat", "3"])
        .run()
        .expect(0);
    assert_eq!(output.stderr.matches("warning: ").count(), 1, "{output}");
    assert!(output.stderr.contains("127.0.0.1:1"), "{output}");
    // An environment is read without its Redis, too.
    let source = format!("env:{name}/{name}");
    let call = local.rstack(["bench", "-n", &name, &source, "--redis-url", "redis://127.0.0.1:1"]);
    let output = call.args(["--way", "cold", "--repeat", "3"]).run().expect(0);
    assert_eq!(output.stderr.matches(" is passed over").count(), 1, "{output}");
}

#[test]
fn a_source_that_cannot_be_opened_has_a_row_for_each_way_that_was_asked_for() {
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/demo");
    let gone = "redis://127.0.0.1:1/prod";
    let call = Rstack::new().args([
        "bench",
        demo,
        gone,
        "--repeat",
        "1",
        "--way",
        "cold,read",
        "--output",
        "json",
    ]);
    let (names, _) = rows(&call.run().expect(3));
    let expected = ["cold", "read"].map(|way| format!("{gone} {way} 1"));
    assert!(names.ends_with(&expected), "{names:?}");
    let call = Rstack::new().args(["bench", demo, gone, "--repeat", "1", "--way", "cold,read"]);
    let output = call.run().expect(3);
    assert!(output.stdout.contains(&format!("\n{gone} cold, read: ")), "{output}");
}

#[test]
fn a_store_that_goes_away_ends_its_rows_only() {
    let (local, name) = stood("bench-gone");
    let gone = Redis::start(&[]);
    let url = gone.url();
    drop(gone);
    let call = [
        "bench",
        "-n",
        &name,
        "--scale",
        "1",
        "--redis-url",
        &url,
        "--repeat",
        "1",
        "--output",
        "json",
    ];
    let output = local.rstack(call).run().expect(3);
    let data = output.json_lines().pop().expect("a result")["data"].clone();
    assert_eq!(
        data["left"],
        Value::Array(Vec::new()),
        "nothing was written to it: {output}"
    );
    let (names, rows) = rows(&output);
    for (name, row) in names.iter().zip(&rows) {
        let failed = row["problem"].is_object();
        assert_eq!(
            failed,
            name.starts_with("redis") || name.contains("publish"),
            "{name}: {row}"
        );
    }
}

#[test]
fn nothing_that_could_be_measured_is_an_error() {
    let output = Rstack::new()
        .args(["bench", "redis://127.0.0.1:1/prod"])
        .run()
        .expect(1);
    assert!(output.stderr.contains("cannot be reached"), "{output}");
    Rstack::new().args(["bench", "./src", "--repeat", "0"]).run().expect(2);
    let output = Rstack::new()
        .args([
            "bench",
            concat!(env!("CARGO_MANIFEST_DIR"), "/demo"),
            "--way",
            "publish",
        ])
        .run()
        .expect(2);
    assert!(output.stderr.contains("leave SOURCE out"), "{output}");
}

#[test]
fn an_interrupt_ends_the_check_of_a_long_delay_at_once() {
    let (local, name) = stood("bench-long-delay");
    let call = local.rstack(["bench", "-n", &name, "--delay", "s3=9s", "--output", "json"]);
    let mut running = call.spawn();
    running.until("\"name\":\"delay\",\"store\":\"s3\"").signal(Signal::INT);
    let start = Instant::now();
    running.wait().expect(130);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[test]
fn areas_that_killed_runs_have_left_are_removed_when_they_are_old() {
    let (local, name) = stood("bench-killed");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
    let area = |hours: u64, random: &str| format!("bench-{:08x}-{random}-0", now - hours * 3600);
    let left = [area(7, "0b1c2d3e"), area(1, "0b1c2d3f"), "bench-mark".to_owned()];
    for area in &left {
        local.done(["seed", "-n", &name, "--area", area]);
    }
    local.done([
        "bench", "-n", &name, "--scale", "1", "--way", "publish", "--repeat", "1",
    ]);
    let there = left_behind(local, &name, local.redis_url());
    let of = |area: &String| there.iter().filter(|key| key.starts_with(area)).count();
    assert_eq!(of(&left[0]), 0, "{there:?}");
    assert!(of(&left[1]) > 0 && of(&left[2]) > 0, "{there:?}");
    local.done(["down", "-n", &name, "--yes"]);
}

#[test]
fn a_terminal_that_goes_away_interrupts_and_leaves_nothing() {
    let (local, name) = stood("bench-hangup");
    let call = local.rstack([
        "bench", "-n", &name, "--scale", "1", "--way", "publish", "--repeat", "9999",
    ]);
    let mut running = call.args(["--output", "json"]).spawn();
    running.until("\"done\":3").signal(Signal::HUP);
    if hangups_are_ignored() {
        // As under `nohup`, which the process inherits: it goes on.
        running.until("\"done\":9").signal(Signal::INT);
    }
    // The shell of a terminal that goes away says so, and the terminal itself.
    running.until("areas `bench-").signal(Signal::HUP);
    running.wait().expect(130);
    assert_eq!(left_behind(local, &name, local.redis_url()), Vec::<String>::new());
}

fn hangups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .expect("a mask");
    u64::from_str_radix(ignored.trim(), 16).expect("hexadecimal digits") & 1 == 1
}

#[test]
fn what_contradicts_itself_is_refused() {
    let script = Script::new().start();
    for (arguments, complaint) in [
        (
            &["--way", "read,publish", "--concurrency", "1,4"][..],
            "add `--way cold`",
        ),
        (&["--concurrency", "4,1,4"], "names 4 twice"),
        (
            &["env:demo/main", "s3://b/a", "env:demo/main"],
            "`env:demo/main` is named twice",
        ),
        (&["--csv", "-"], "`-` is no file here"),
        (&["--plot", "chart.svg", "--csv", "./chart.svg"], "both name"),
    ] {
        let output = script.rstack(["bench", "-n", "demo"]).args(arguments).run().expect(2);
        assert!(
            output.stderr.contains(complaint) && output.stderr.contains("hint: "),
            "{output}"
        );
    }
    assert!(script.calls().is_empty(), "{:?}", script.story());
}

/// A run that takes no time and writes its figures to `csv`.
fn written(csv: &Path) -> Rstack {
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/demo");
    Rstack::new().args(["bench", demo, "--repeat", "1", "--csv", csv.to_str().expect("text")])
}

#[test]
fn links_are_followed_modes_kept_and_what_is_no_file_is_written_through() {
    let folder = TempDir::new().expect("a folder");
    let inside = |name: &str| folder.path().join(name);
    fs::write(inside("old.csv"), "old").expect("a file");
    fs::set_permissions(inside("old.csv"), Permissions::from_mode(0o640)).expect("a mode");
    symlink("old.csv", inside("link.csv")).expect("a link");
    symlink("new.csv", inside("dangling.csv")).expect("a link");
    for (link, target) in [("link.csv", "old.csv"), ("dangling.csv", "new.csv")] {
        written(&inside(link)).run().expect(0);
        assert!(fs::symlink_metadata(inside(link)).expect("a link").is_symlink());
        let text = fs::read_to_string(inside(target)).expect("figures");
        assert!(text.starts_with("source,way"), "{text}");
    }
    let mode = fs::metadata(inside("old.csv")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let fifo = inside("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let reader = {
        let fifo = fifo.clone();
        thread::spawn(move || fs::read_to_string(fifo).expect("figures"))
    };
    written(&fifo).run().expect(0);
    assert!(reader.join().expect("a reader").starts_with("source,way"));
    assert!(fs::metadata(&fifo).expect("a FIFO").file_type().is_fifo());
    let mut left: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["dangling.csv", "fifo", "link.csv", "new.csv", "old.csv"]);
}

#[test]
fn stdout_gets_the_figures_before_the_table() {
    let output = written(Path::new("/dev/stdout")).run().expect(0);
    assert!(output.stdout.starts_with("source,way"), "{output}");
    assert!(output.stdout.contains("\nSOURCE "), "{output}");
}

#[test]
fn what_cannot_be_written_in_the_end_costs_neither_the_table_nor_the_other_file() {
    let folder = TempDir::new().expect("a folder");
    let chart = folder.path().join("chart.svg").display().to_string();
    let full = written(Path::new("/dev/full")).args(["--plot", &chart]).run().expect(1);
    assert!(full.stdout.starts_with("SOURCE"), "{full}");
    assert!(
        full.stderr.contains("error: ") && full.stderr.contains("/dev/full"),
        "{full}"
    );
    let drawn = fs::read_to_string(&chart).expect("the chart");
    assert!(drawn.contains("</svg>"), "{drawn}");
    let json = written(Path::new("/dev/full"))
        .args(["--output", "json"])
        .run()
        .expect(1);
    let lines = json.json_lines();
    let [.., figures, error] = lines.as_slice() else {
        panic!("two objects: {json}");
    };
    assert_eq!((&figures["type"], &error["type"]), (&"bench".into(), &"error".into()));
    assert!(figures["data"]["loads"].is_array(), "{json}");
    let device = fs::metadata("/dev/full").expect("a device").file_type();
    assert!(device.is_char_device());
}

#[test]
fn files_that_cannot_be_written_are_refused_before_anything_is_measured() {
    let folder = TempDir::new().expect("a folder");
    let inside = |name: &str| folder.path().join(name).display().to_string();
    let script = Script::new().start();
    for (option, file, complaint) in [
        ("--plot", inside("none/chart.svg"), "there is no folder"),
        ("--plot", inside("chart.pdf"), "end it with `.svg` or `.png`"),
        ("--csv", inside("none/times.csv"), "there is no folder"),
        ("--csv", folder.path().display().to_string(), "is a folder"),
    ] {
        let output = script.rstack(["bench", "-n", "demo", option, &file]).run().expect(2);
        assert!(output.stderr.contains(complaint), "{output}");
    }
    assert!(script.calls().is_empty(), "{:?}", script.story());
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
