//! `rstack.yaml`: reading it, what is wrong with it, and `rstack init`, which writes it.

use insta::assert_snapshot;
use tempfile::TempDir;

use crate::support::{Output, Rstack};

/// A folder with this `rstack.yaml`.
fn folder(yaml: &str) -> TempDir {
    let dir = TempDir::new().expect("a temporary folder");
    std::fs::write(dir.path().join("rstack.yaml"), yaml).expect("a file");
    dir
}

/// A command that reads the configuration and asks nothing of AWS.
fn template_beside(yaml: &str) -> Output {
    Rstack::new().args(["template"]).dir(folder(yaml).path()).run()
}

#[test]
fn an_unknown_key_is_refused_with_the_one_that_was_meant() {
    assert_snapshot!(template_beside("name: demo\nregoin: eu-west-1\n"), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: rstack.yaml:2:1: unknown key `regoin`
    hint: did you mean `region`?
    "#);
}

#[test]
fn an_unknown_key_that_resembles_none_is_refused_with_those_there_are() {
    assert_snapshot!(template_beside("stores:\n  dynamodb:\n    hash_key: path\n"), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: rstack.yaml:3:5: stores.dynamodb: unknown key `hash_key`
    hint: keys here are table_name, billing, read_units, write_units
    "#);
}

#[test]
fn a_value_of_the_wrong_kind_is_refused() {
    assert_snapshot!(template_beside("stores:\n  redis:\n    tls: perhaps\n"), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: rstack.yaml:3:10: stores.redis.tls: invalid type: string "perhaps", expected a boolean
    hint: `rstack init` writes a file with every key explained
    "#);
}

#[test]
fn a_value_that_aws_would_refuse_is_refused() {
    assert_snapshot!(template_beside("stores:\n  s3:\n    bucket_name: My_Bucket\n"), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: rstack.yaml:3:18: stores.s3.bucket_name: "My_Bucket" will not do: expected 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends
    hint: `rstack init` writes a file with every key explained
    "#);
}

#[test]
fn a_value_in_a_list_is_named_by_its_place() {
    let yaml = "stores:\n  redis:\n    allowed_cidrs:\n      - 10.0.0.0/8\n      - 10.0.0.1/8\n";
    assert_snapshot!(template_beside(yaml), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: rstack.yaml:5:9: stores.redis.allowed_cidrs[1]: "10.0.0.1/8" will not do: expected an address range such as 10.0.0.0/16, with no bits set beyond its prefix
    hint: `rstack init` writes a file with every key explained
    "#);
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    assert_snapshot!(template_beside("stores:\n  redis:\n    vpc: vpc-0123456789abcdef0\n"), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: rstack.yaml:3:5: stores.redis: `vpc` needs `subnets` or `subnet_group` of that VPC
    hint: `rstack init` writes a file with every key explained
    "#);
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    assert_snapshot!(template_beside("tags:\n  team: a\n  team: b\n"), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: rstack.yaml:3:3: tags: `team` is there twice
    hint: keep one of them
    "#);
    for (yaml, place) in [
        ("name: a\nname: a\n", "2:1: `name`"),
        (
            "stores:\n  redis:\n    tls: true\n    tls: false\n",
            "4:5: stores.redis: `tls`",
        ),
        (
            "region: eu-west-1\nseed: {path: src, area: b, path: lib}\n",
            "2:28: seed: `path`",
        ),
    ] {
        let told = template_beside(yaml).expect(2).stderr;
        assert!(
            told.starts_with(&format!("error: rstack.yaml:{place} is there twice\n")),
            "{told}"
        );
    }
}

#[test]
fn a_file_that_is_not_utf_8_is_refused_where_it_is_not() {
    let dir = folder("");
    std::fs::write(
        dir.path().join("rstack.yaml"),
        b"name: demo\ntags: {h\xc3\xb6he: gr\xfcn}\n",
    )
    .expect("a file");
    assert_snapshot!(Rstack::new().args(["template"]).dir(dir.path()).run(), @r"
    exit: 2
    --- stdout

    --- stderr
    error: rstack.yaml:2:16: this is not UTF-8
    hint: save the file as UTF-8, as `iconv -f LATIN1 -t UTF-8 rstack.yaml` does of a file in Latin-1
    ");
}

#[test]
fn what_is_no_yaml_is_refused() {
    assert_snapshot!(template_beside("name: 'demo\n"), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: rstack.yaml:2:1: found unexpected end of stream, while scanning a quoted scalar at line 1 column 7
    hint: `rstack init` writes a file with every key explained
    "#);
}

#[test]
fn an_error_in_the_configuration_is_json_when_json_is_asked_for() {
    let dir = folder("nmae: demo\n");
    let output = Rstack::new()
        .args(["template", "--output", "json"])
        .dir(dir.path())
        .run();
    assert_snapshot!(output, @r#"
    exit: 2
    --- stdout
    {"v":1,"type":"error","kind":"configuration","message":"rstack.yaml:1:1: unknown key `nmae`","exit_code":2,"hint":"did you mean `name`?"}

    --- stderr
    "#);
}

#[test]
fn every_contradiction_among_the_options_of_redis_is_refused() {
    let subnets = "subnets: [subnet-01234567]";
    for (options, message) in [
        (format!("{subnets}, subnet_group: a, vpc: vpc-01234567"), "keep one"),
        (subnets.to_owned(), "need `vpc`"),
        ("subnet_group: a".to_owned(), "need `vpc`"),
        ("vpc: vpc-01234567".to_owned(), "needs `subnets`"),
        (
            "security_groups: [sg-01234567], allowed_cidrs: [10.0.0.0/8]".to_owned(),
            "open those instead",
        ),
    ] {
        let output = template_beside(&format!("stores: {{redis: {{{options}}}}}")).expect(2);
        assert!(output.stderr.contains(message), "{options}: {}", output.stderr);
    }
}

#[test]
fn the_file_is_found_by_option_then_variable_then_in_the_folder() {
    let dir = folder("stores: {s3: {bucket_name: in-the-folder}}");
    for name in ["option", "variable"] {
        let yaml = format!("stores: {{s3: {{bucket_name: by-{name}}}}}");
        std::fs::write(dir.path().join(format!("{name}.yaml")), yaml).expect("a file");
    }
    let printed = |rstack: Rstack| rstack.dir(dir.path()).args(["template"]).run().expect(0).stdout;
    let variable = || Rstack::new().env("RSTACK_CONFIG", "variable.yaml");
    assert!(printed(Rstack::new()).contains("in-the-folder"));
    assert!(printed(Rstack::new().env("RSTACK_CONFIG", "")).contains("in-the-folder"));
    assert!(printed(variable()).contains("by-variable"));
    assert!(printed(variable().args(["--config", "option.yaml"])).contains("by-option"));
}

#[test]
fn a_file_that_was_named_has_to_exist() {
    assert_snapshot!(Rstack::new().args(["template", "--config", "missing.yaml"]).run(), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: the configuration file `missing.yaml` cannot be read: No such file or directory (os error 2)
    hint: name an existing file, or write one with `rstack init`
    "#);
    Rstack::new()
        .args(["template"])
        .env("RSTACK_CONFIG", "missing.yaml")
        .run()
        .expect(2);
}

#[test]
fn local_and_another_aws_contradict_each_other() {
    let output = Rstack::new()
        .args(["template", "--local", "--endpoint-url", "http://127.0.0.1:1"])
        .run();
    assert_snapshot!(output, @r#"
    exit: 2
    --- stdout

    --- stderr
    error: `--local` and `--endpoint-url` contradict each other
    hint: leave out `--endpoint-url` to use the AWS on this machine
    "#);
}

#[test]
fn a_wrong_variable_is_named() {
    assert_snapshot!(Rstack::new().args(["template"]).env("RSTACK_REGION", "Ireland").run(), @r#"
    exit: 2
    --- stdout

    --- stderr
    error: `RSTACK_REGION` cannot be "Ireland": expected a region such as eu-west-1
    hint: set RSTACK_REGION anew, or `unset RSTACK_REGION`
    "#);
}

#[test]
fn init_writes_a_file_that_rstack_reads_and_does_not_replace_it_unasked() {
    let dir = TempDir::new().expect("a temporary folder");
    let init = |more: &[&str]| Rstack::new().args(["init"]).args(more).dir(dir.path()).run();
    assert_snapshot!(init(&["--name", "pr-123"]), @r#"
    exit: 0
    --- stdout
    rstack.yaml

    --- stderr
    "#);
    let path = dir.path().join("rstack.yaml");
    let written = std::fs::read_to_string(&path).expect("the file");
    assert!(written.contains("\nname: pr-123\n"), "{written}");
    Rstack::new().args(["template"]).dir(dir.path()).run().expect(0);

    assert_snapshot!(init(&[]), @r#"
    exit: 1
    --- stdout

    --- stderr
    error: `rstack.yaml` is already there
    hint: edit it, or replace it with `rstack init --force`
    "#);
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), written);
    init(&["--force"]).expect(0);
    assert_ne!(std::fs::read_to_string(&path).expect("the file"), written);
}

#[test]
fn init_works_beside_a_file_that_is_wrong() {
    let dir = folder("nmae: demo\n");
    Rstack::new().args(["init", "--force"]).dir(dir.path()).run().expect(0);
    Rstack::new().args(["template"]).dir(dir.path()).run().expect(0);
}

#[test]
fn init_where_nothing_can_be_written_says_so() {
    assert_snapshot!(Rstack::new().args(["init", "--config", "no/such/folder.yaml"]).run(), @r#"
    exit: 1
    --- stdout

    --- stderr
    error: write no/such/folder.yaml: No such file or directory (os error 2)
    "#);
}

#[test]
fn completions_are_printed_for_every_shell() {
    for (shell, mark) in [
        ("bash", "complete -F _rstack"),
        ("zsh", "#compdef rstack"),
        ("fish", "complete -c rstack"),
    ] {
        let output = Rstack::new().args(["completions", shell]).run().expect(0);
        assert!(output.stdout.contains(mark), "{shell}");
    }
    let bash = Rstack::new().args(["completions", "bash"]).run().expect(0).stdout;
    let status = std::process::Command::new("bash")
        .args(["-n", "-c", &bash])
        .status()
        .expect("bash");
    assert!(status.success(), "bash reads its completions");
}

#[test]
fn a_redis_with_tls_is_warned_of_where_the_local_aws_has_none() {
    let told = |args: &[&str]| {
        let dir = folder("stores: {redis: {tls: true}}\n");
        Rstack::new().args(args).dir(dir.path()).run().expect(0).stderr
    };
    assert!(told(&["template", "--local"]).contains("the local AWS has a Redis without TLS"));
    assert_eq!(told(&["template"]), "");
    assert_eq!(
        told(&["template", "--local", "--preset", "article"])
            .matches("TLS")
            .count(),
        0
    );
}
