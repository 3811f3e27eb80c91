//! `docs/json.md` shows the result of every command as it really is.

use serde_json::Value;

use crate::support::Output;
use crate::support::local::{LocalAws, shared, unique};

const DOCUMENT: &str = include_str!("../docs/json.md");

/// The documented example of a command's result.
fn example(command: &str) -> Value {
    let head = format!(r#"{{"v":1,"type":"result","command":"{command}""#);
    let line = DOCUMENT.lines().find(|line| line.starts_with(&head));
    let line = line.unwrap_or_else(|| panic!("docs/json.md has no example of `{command}`"));
    serde_json::from_str(line).expect("JSON")
}

fn result(output: &Output) -> Value {
    output.json_lines().pop().expect("a last line")
}

/// Fails where a value is of another kind, or an object has other fields. Null stands for what may be absent; of a list
/// the first entry is compared; the fields of `outputs` and the like are names, not fields.
#[track_caller]
fn same_shape(documented: &Value, real: &Value, path: &str) {
    match (documented, real) {
        (Value::Object(documented), Value::Object(real)) => {
            let names = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(documented), names(real), "{path}");
            for (name, value) in documented {
                if !["outputs", "variables", "tags", "parameters", "areas"].contains(&name.as_str()) {
                    same_shape(value, &real[name], &format!("{path}.{name}"));
                }
            }
        }
        (Value::Array(documented), Value::Array(real)) => {
            if let (Some(documented), Some(real)) = (documented.first(), real.first()) {
                same_shape(documented, real, &format!("{path}[0]"));
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (documented, real) => assert_eq!(
            std::mem::discriminant(documented),
            std::mem::discriminant(real),
            "{path}: {documented} and {real}"
        ),
    }
}

fn check(local: &LocalAws, command: &str, args: &[&str]) {
    let args = args.iter().copied().chain(["--output", "json", "--yes"]);
    let real = result(&local.rstack(args).run().expect(0));
    same_shape(&example(command), &real, command);
}

#[test]
fn every_documented_result_has_the_shape_of_the_real_one() {
    let (local, name) = (shared(), unique("shape"));
    check(local, "template", &["template"]);
    check(local, "up", &["up", "-n", &name]);
    check(local, "seed", &["seed", "-n", &name]);
    check(local, "releases", &["releases", "-n", &name]);
    check(local, "ls", &["ls", "-n", &name]);
    check(local, "bench", &["bench", "-n", &name, "--repeat", "1"]);
    check(local, "cache info", &["cache", "info"]);
    check(local, "cache clear", &["cache", "clear"]);
    check(local, "cat", &["cat", "-n", &name, "main", "foo/module1.py"]);
    check(local, "diff", &["diff", "-n", &name, "main", "main"]);
    check(local, "status", &["status", "-n", &name]);
    check(local, "outputs", &["outputs", "-n", &name]);
    check(local, "policy", &["policy", "reader", "-n", &name]);
    let dir = tempfile::tempdir().expect("a folder");
    let code = dir.path().join("code").display().to_string();
    check(local, "pull", &["pull", "-n", &name, "main", &code]);
    let file = dir.path().join("key.pem").display().to_string();
    check(local, "key generate", &["key", "generate", &file]);
    check(local, "down", &["down", "-n", &name]);
    check(local, "gc", &["gc", "--dry-run"]);
    check(local, "local status", &["local", "status"]);
    check(local, "local env", &["local", "env"]);
    check(local, "demo", &["demo", "-n", &unique("shape-tour")]);
}
