//! `rstack outputs`.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::support::Rstack;
use crate::support::environment::made;
use crate::support::local::{shared, unique};
use crate::support::scripted::{Script, stack};

#[test]
fn every_store_has_a_variable() {
    let name = unique("outputs");
    made(shared(), &name);
    let port = shared().redis_url().rsplit(':').next().expect("a port");
    let call = shared().rstack(["outputs", "-n", &name]).hide(&name, "demo");
    let output = call.hide(port, "[PORT]").run();
    insta::assert_snapshot!(output, @r"
    exit: 0
    --- stdout
    RSTACK_NAME=demo
    RSTACK_REGION=eu-west-1
    RSTACK_ENDPOINT_URL=http://127.0.0.1:[PORT]
    RSTACK_LOCAL=1
    RSTACK_BUCKET=demo-bucket
    RSTACK_TABLE=demo-table
    RSTACK_REDIS_HOST=127.0.0.1
    RSTACK_REDIS_PORT=[PORT]

    --- stderr
    ");
}

/// A template of one's own may have outputs with any text.
fn awkward() -> Script {
    let stack = stack("demo", "CREATE_COMPLETE").environment().output("BucketName", "b");
    Script::new().on("DescribeStacks", [stack.output("Note", "it's two\nlines; $HOME `id`")])
}

#[test]
fn a_shell_reads_awkward_values_back() {
    let aws = awkward().start();
    let output = Rstack::new()
        .endpoint(aws.endpoint())
        .args(["outputs", "-n", "demo", "--format", "shell"])
        .run()
        .expect(0);
    let script = format!("{}printf %s \"$RSTACK_OUTPUT_Note\"", output.stdout);
    let read = Command::new("sh").arg("-c").arg(script).output().expect("sh runs");
    assert_eq!(String::from_utf8_lossy(&read.stdout), "it's two\nlines; $HOME `id`");
}

#[test]
fn github_gets_its_file_appended_and_stdout_stays_empty() {
    let aws = awkward().start();
    let dir = TempDir::new().expect("a folder");
    let file = dir.path().join("output");
    fs::write(&file, "before=1\n").expect("written");
    let call = Rstack::new().endpoint(aws.endpoint()).env("GITHUB_OUTPUT", &file);
    let output = call
        .args(["outputs", "-n", "demo", "--format", "github"])
        .run()
        .expect(0);
    assert_eq!(output.stdout, "");
    let written = fs::read_to_string(&file).expect("read");
    let mut lines = written.lines();
    assert_eq!(lines.next(), Some("before=1"));
    assert!(written.contains("\nRSTACK_BUCKET=b\n"), "{written}");
    let delimiter = lines
        .find_map(|line| line.strip_prefix("RSTACK_OUTPUT_Note<<"))
        .expect("a block");
    let block: Vec<&str> = lines.take_while(|line| *line != delimiter).collect();
    assert_eq!(block, ["it's two", "lines; $HOME `id`"]);
}

#[test]
fn outside_github_actions_the_error_says_so() {
    let aws = awkward().start();
    let output = Rstack::new()
        .endpoint(aws.endpoint())
        .args(["outputs", "-n", "demo", "--format", "github"])
        .run();
    insta::assert_snapshot!(output, @r"
    exit: 2
    --- stdout

    --- stderr
    error: GITHUB_OUTPUT is not set
    hint: `--format github` works in a step of GitHub Actions; elsewhere use `env`, `shell` or `json`
    ");
}

#[test]
fn one_without_outputs_yet_is_an_error() {
    let aws = Script::new()
        .on("DescribeStacks", [stack("demo", "CREATE_IN_PROGRESS").environment()])
        .start();
    let output = Rstack::new()
        .endpoint(aws.endpoint())
        .args(["outputs", "-n", "demo"])
        .run();
    insta::assert_snapshot!(output, @r"
    exit: 1
    --- stdout

    --- stderr
    error: environment `demo` has no outputs: it is CREATE_IN_PROGRESS
    hint: `rstack status --name demo` shows it; `rstack up --name demo` completes it
    ");
}

#[test]
fn a_name_is_needed() {
    insta::assert_snapshot!(Rstack::new().args(["outputs"]).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: which environment? no name is given
    hint: use `--name NAME`, RSTACK_NAME, or `name: NAME` in rstack.yaml
    ");
}
