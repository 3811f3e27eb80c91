//! `rstack demo`.

use crate::support::Rstack;
use crate::support::environment::made;
use crate::support::local::LocalAws;

#[test]
fn the_tour_shows_every_step_and_leaves_nothing() {
    let local = LocalAws::stopped();
    // Without RSTACK_LOCAL: the demo never goes anywhere else.
    let demo = Rstack::new()
        .env("RSTACK_HOME", local.home())
        .args(["demo"])
        .run()
        .expect(0);
    for step in ["template:", "up:", "seed:", "status:", "read:", "down:"] {
        assert!(demo.stderr.contains(&format!(" {step} ")), "{step} is missing: {demo}");
    }
    assert!(demo.stdout.contains("s3, dynamodb, redis"), "{demo}");
    for store in ["s3", "dynamodb", "redis"] {
        let read = |line: &&str| line.starts_with(store) && line.contains("10.3 KiB") && line.ends_with(['█', '▏']);
        assert!(demo.stdout.lines().any(|line| read(&line)), "{store}: {demo}");
    }
    let status = local.done(["local", "status"]);
    assert!(status.stdout.contains("not running"), "{status}");
}

#[test]
fn its_json_ends_with_one_result() {
    let local = LocalAws::own();
    let lines = local.done(["demo", "--output", "json", "-n", "json-tour"]).json_lines();
    let (result, events) = lines.split_last().expect("lines");
    assert!(
        events
            .iter()
            .all(|event| event["type"] != "result" && event["type"] != "error")
    );
    assert_eq!(result["data"]["name"], "json-tour");
    let steps: Vec<_> = result["data"]["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| step["step"].clone())
        // There when a Python of this machine has the package; tests/python/test_demo.py sees to it.
        .filter(|step| step != "import")
        .collect();
    assert_eq!(steps, ["template", "up", "seed", "status", "read", "down"]);
    assert_eq!(result["data"]["reads"].as_array().map(Vec::len), Some(3));
}

#[test]
fn an_environment_that_somebody_uses_is_not_touched() {
    let local = LocalAws::own();
    made(&local, "tour");
    let output = local.rstack(["demo"]).run();
    insta::assert_snapshot!(output, @r"
    exit: 1
    --- stdout

    --- stderr
    error: environment `tour` exists already on the local AWS
    hint: `rstack down --name tour --local` takes it away; `rstack demo -n OTHER` uses another name
    ");
    let status = local.done(["status", "-n", "tour"]);
    assert!(status.stdout.starts_with("tour CREATE_COMPLETE"), "{status}");
}

#[test]
fn options_that_lead_elsewhere_contradict_it() {
    insta::assert_snapshot!(Rstack::new().args(["demo", "--profile", "work"]).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: `--local` and `--profile` contradict each other
    hint: leave out `--profile` to use the AWS on this machine
    ");
}
