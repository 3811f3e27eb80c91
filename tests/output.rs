//! What reaches stdout, stderr and terminals, whatever the command.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use crate::support::environment::made;
use crate::support::local::{LocalAws, shared, unique};
use crate::support::scripted::{Script, error, events, resources, stack, stack_event};
use crate::support::terminal::session;
use crate::support::{Output, Rstack};

fn rstack(args: &[&str]) -> Output {
    Rstack::new().args(args).run()
}

#[test]
fn without_arguments_help_is_shown_as_a_usage_error() {
    let output = rstack(&[]);
    assert_eq!((output.code(), output.stdout.as_str()), (Some(2), ""));
    assert!(output.stderr.contains("Usage: rstack [OPTIONS] <COMMAND>"), "{output}");
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = rstack(&["--help"]).expect(0);
    assert!(help.stdout.contains("Exit codes:"), "{help}");
    assert_eq!(
        rstack(&["--version"]).expect(0).stdout,
        format!("rstack {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn every_command_shows_examples_and_exit_codes() {
    let help = rstack(&["--help"]).stdout;
    let commands = help.split_once("Commands:\n").expect("commands").1;
    for line in commands.lines().take_while(|line| !line.is_empty()) {
        let Some(name) = line
            .strip_prefix("  ")
            .and_then(|line| line.split(' ').next())
            .filter(|name| !name.is_empty())
        else {
            continue;
        };
        if name != "help" {
            let help = rstack(&[name, "--help"]).expect(0).stdout;
            assert!(
                help.contains("Examples:") || help.contains("Commands:"),
                "{name}:\n{help}"
            );
            assert!(
                help.contains("Exit codes") || help.contains("Commands:"),
                "{name}:\n{help}"
            );
        }
    }
}

#[test]
fn usage_errors_are_one_json_object_when_json_was_asked_for() {
    insta::assert_snapshot!(rstack(&["status", "--wacth", "--output", "json"]), @r#"
    exit: 2
    --- stdout
    {"v":1,"type":"error","kind":"usage","message":"unexpected argument '--wacth' found","exit_code":2,"hint":"a similar argument exists: '--watch'"}

    --- stderr
    "#);
    insta::assert_snapshot!(rstack(&["--output=json", "statsu"]), @r#"
    exit: 2
    --- stdout
    {"v":1,"type":"error","kind":"usage","message":"unrecognized subcommand 'statsu'","exit_code":2,"hint":"a similar subcommand exists: 'status'"}

    --- stderr
    "#);
}

#[test]
fn errors_of_settings_are_one_json_object_too() {
    insta::assert_snapshot!(rstack(&["status", "--output", "json", "-n", "bad name"]), @r#"
    exit: 2
    --- stdout
    {"v":1,"type":"error","kind":"usage","message":"`--name` cannot be \"bad name\": expected a letter, then letters, digits and hyphens, 128 at most","exit_code":2,"hint":"give `--name` another value; `rstack --help` explains it"}

    --- stderr
    "#);
}

#[test]
fn a_full_disk_is_an_error() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    for args in [
        ["template", "--output=plain"],
        ["template", "--output=json"],
        ["--help", "--output=plain"],
    ] {
        let full = full.try_clone().expect("another handle");
        let output = Command::new(env!("CARGO_BIN_EXE_rstack"))
            .args(args)
            .stdout(full)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    }
}

#[test]
fn a_reader_that_leaves_is_none() {
    for args in [
        ["template", "--output=plain"],
        ["template", "--output=json"],
        ["--help", "--output=plain"],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rstack"))
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(
            (output.status.code(), output.stderr.as_slice()),
            (Some(0), &b""[..]),
            "{args:?}"
        );
    }
}

#[test]
fn what_aws_says_cannot_control_the_terminal() {
    let reason = "wiped \u{9b}2J \u{202e}gnp.exe\nhint: run this";
    let aws = Script::new()
        .on(
            "DescribeStacks",
            [stack("demo", "CREATE_FAILED").environment().reason(reason)],
        )
        .on("ListStackResources", [resources([])])
        .on("DescribeEvents", [error(400, "ValidationError", "unknown")])
        .on(
            "DescribeStackEvents",
            [events(
                [
                    stack_event("1", "demo", "CREATE_IN_PROGRESS"),
                    stack_event("2", "demo", "CREATE_FAILED").reason(reason),
                ],
                None,
            )],
        )
        .start();
    let call = Rstack::new().endpoint(aws.endpoint());
    let output = call.args(["status", "-n", "demo", "--color", "always"]).run().expect(0);
    assert!(!output.stdout.contains(['\u{202e}', '\u{9b}']), "{output}");
    assert!(
        output.stdout.contains(r"wiped \x9b2J \u{202e}gnp.exe\nhint: run this"),
        "{output}"
    );
}

/// The SDK's own logs would hold the signature, the token and whole bodies.
#[test]
fn logs_never_hold_credentials() {
    let aws = Script::new()
        .on("DescribeStacks", [stack("demo", "CREATE_COMPLETE").environment()])
        .start();
    for level in ["debug", "trace"] {
        let output = Rstack::new()
            .endpoint(aws.endpoint())
            .env("AWS_ACCESS_KEY_ID", "AKIDVISIBLE")
            .env("AWS_SECRET_ACCESS_KEY", "the-secret-key")
            .env("AWS_SESSION_TOKEN", "the-session-token")
            .env("RSTACK_LOG", level)
            .args(["status"])
            .run()
            .expect(0);
        assert!(
            output.stderr.contains("operation=\"DescribeStacks\" status=200"),
            "{output}"
        );
        for secret in ["the-secret-key", "the-session-token", "Signature=", "AKIDVISIBLE"] {
            assert!(
                !output.stderr.contains(secret) && !output.stdout.contains(secret),
                "{secret} in {output}"
            );
        }
    }
    insta::assert_snapshot!(Rstack::new().env("RSTACK_LOG", "loud").args(["template"]).run(), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: RSTACK_LOG is "loud"
    hint: use one of `error`, `warn`, `info`, `debug`, `trace`
    "#);
}

#[test]
fn quiet_leaves_only_the_result() {
    let name = unique("quiet");
    made(shared(), &name);
    let down = ["down", "-n", &name, "--yes", "--quiet"];
    let output = shared().done(down.into_iter().chain(["--output", "json"]));
    assert_eq!(output.json()["type"], "result");
    assert_eq!(output.stderr, "");
    assert_eq!(shared().done(down).stderr, "");
}

/// A local AWS with one environment in it: stopping it asks first.
fn asking() -> LocalAws {
    let local = LocalAws::own();
    made(&local, &unique("asked"));
    local
}

#[test]
fn a_question_waits_for_an_answer_and_ctrl_c_is_one() {
    let local = asking();
    let home = local.home().display().to_string();
    let ask = |typed: &[(&str, &str)]| session(&["local", "stop"], &[("RSTACK_HOME", &home)], 40, typed);
    let interrupted = ask(&[("[y/N]", "\u{3}")]);
    assert_eq!(interrupted.code, 130, "{}", interrupted.text);
    let declined = ask(&[("[y/N]", "n\n")]);
    assert_eq!(declined.code, 1, "{}", declined.text);
    assert!(declined.text.contains("stopped: not confirmed"), "{}", declined.text);
    let ended = ask(&[("[y/N]", "\u{4}")]);
    assert_eq!(ended.code, 1, "{}", ended.text);
    let agreed = ask(&[("[y/N]", "y\n")]);
    assert_eq!(agreed.code, 0, "{}", agreed.text);
}

#[test]
fn where_nobody_can_be_asked_the_error_names_yes() {
    let local = asking();
    let output = local.rstack(["local", "stop"]).run();
    assert_eq!(output.code(), Some(2));
    assert!(output.stderr.contains("hint: add `--yes`"), "{output}");
}

#[test]
fn a_terminal_gets_colours_and_others_do_not() {
    let aws = Script::new()
        .on("DescribeStacks", [stack("demo", "CREATE_COMPLETE").environment()])
        .start();
    let endpoint = aws.endpoint();
    let credentials = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let coloured = |extra: &[(&str, &str)], args: &[&str]| {
        let env: Vec<_> = credentials.iter().chain(extra).copied().collect();
        session(args, &env, 80, &[]).text.contains('\u{1b}')
    };
    assert!(coloured(&[], &["status"]));
    assert!(!coloured(&[("NO_COLOR", "1")], &["status"]));
    assert!(!coloured(&[("CI", "true")], &["status"]));
    assert!(!coloured(&[], &["status", "--color", "never"]));
    assert!(!coloured(&[("TERM", "dumb")], &["status"]));
    assert!(coloured(&[("NO_COLOR", "1")], &["status", "--color", "always"]));
}
