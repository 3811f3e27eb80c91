//! `rstack diff`.

use std::fs;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::Output;
use crate::support::local::{self, LocalAws, unique};

/// Folders beside each other.
struct Sides {
    dir: TempDir,
    local: &'static LocalAws,
}

impl Sides {
    fn new() -> Self {
        Self {
            dir: TempDir::new().expect("a folder"),
            local: local::shared(),
        }
    }

    fn path(&self, path: &str) -> String {
        self.dir.path().join(path).display().to_string()
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        fs::write(path, content).expect("written");
    }

    fn diff(&self, args: &[&str]) -> Output {
        self.local.rstack(["diff"]).args(args).dir(self.dir.path()).run()
    }
}

fn changed() -> Sides {
    let sides = Sides::new();
    sides.write("old/same.py", "x = 1\n");
    sides.write("old/settings.py", "LIMIT = 10\nNAME = 'a'\n");
    sides.write("old/gone.py", "gone = True");
    sides.write("old/logo.png", [0x89, b'P', 0, 0xff]);
    sides.write("new/same.py", "x = 1\n");
    sides.write("new/settings.py", "LIMIT = 100\nNAME = 'a'\n");
    sides.write("new/logo.png", [0x89, b'P', 0, 0xfe]);
    sides.write("new/pkg/__init__.py", "");
    sides.write("new/large.csv", "1,2\n".repeat(3 << 20));
    sides
}

#[test]
fn text_is_compared_line_by_line_and_the_rest_is_named() {
    assert_snapshot!(changed().diff(&["./old", "./new"]), @r"
    exit: 0
    --- stdout
    diff --git a/gone.py b/gone.py
    deleted file mode 100644
    --- a/gone.py
    +++ /dev/null
    @@ -1 +0,0 @@
    -gone = True
    \ No newline at end of file
    large files /dev/null and b/large.csv differ
    binary files a/logo.png and b/logo.png differ
    diff --git a/pkg/__init__.py b/pkg/__init__.py
    new file mode 100644
    diff --git a/settings.py b/settings.py
    --- a/settings.py
    +++ b/settings.py
    @@ -1,2 +1,2 @@
    -LIMIT = 10
    +LIMIT = 100
     NAME = 'a'

    --- stderr
    [CLOCK] 2 added, 2 changed, 1 removed
    ");
}

#[test]
fn names_alone_take_no_contents() {
    assert_snapshot!(changed().diff(&["./old", "./new", "--name-only", "-q"]), @r"
    exit: 0
    --- stdout
    gone.py
    large.csv
    logo.png
    pkg/__init__.py
    settings.py

    --- stderr
    ");
    assert_snapshot!(changed().diff(&["./old", "./old"]), @r"
    exit: 0
    --- stdout

    --- stderr
    [CLOCK] nothing differs
    ");
}

#[test]
fn a_difference_is_one_json_object() {
    let output = changed().diff(&["./old", "./new", "--output", "json", "-q"]).expect(0);
    let lines = output.json_lines();
    let result = lines.last().expect("a result");
    assert_eq!(
        result["data"],
        serde_json::json!({"added": 2, "changed": 2, "removed": 1})
    );
    let of = |path: &str| -> &Value {
        let line = lines.iter().find(|line| line["data"]["path"] == path);
        &line.unwrap_or_else(|| panic!("no {path}"))["data"]
    };
    assert_eq!(
        (of("gone.py")["change"].as_str(), &of("gone.py")["after"]),
        (Some("removed"), &Value::Null)
    );
    assert_eq!(of("settings.py")["content"], "text");
    let diff = of("settings.py")["diff"].as_str().expect("a diff");
    assert!(diff.contains("\n-LIMIT = 10\n+LIMIT = 100\n"), "{diff}");
    assert_eq!(
        (of("logo.png")["content"].as_str(), of("large.csv")["content"].as_str()),
        (Some("binary"), Some("large"))
    );
    assert_eq!(of("logo.png")["before"]["size"], 4);
}

#[test]
fn what_it_prints_is_a_patch_that_leads_from_one_to_the_other() {
    let sides = Sides::new();
    let text = |seed: u64, end: &str| {
        let lines = (0..400_u64).map(|line| format!("line {}\n", if line % 37 == seed % 37 { seed } else { line / 2 }));
        lines.collect::<String>() + end
    };
    for (path, old, new) in [
        ("many.py", text(3, ""), text(30, "")),
        ("no end.py", text(1, "x"), text(1, "y")),
        ("crlf.py", "a\r\nb\r\n".to_owned(), "a\nb\r\n".to_owned()),
        ("cr.py", "a\rb\nc\n".to_owned(), "a\rb\nd\n".to_owned()),
        ("ü/ß.py", "ä\n".to_owned(), "ö".to_owned()),
        ("\u{1b}[31mred\t\"a\\b\".py", "1\n".to_owned(), "2\n".to_owned()),
        ("new\nline\u{9b}.py", "1\n".to_owned(), "2\n".to_owned()),
    ] {
        sides.write(&format!("old/{path}"), old);
        sides.write(&format!("new/{path}"), new);
    }
    sides.write("old/gone.py", "1\n");
    sides.write("old/gone.txt", "");
    sides.write("new/come.py", "1");
    sides.write("new/pkg/__init__.py", "");
    sides.write("old/binary", [0, 1]);
    sides.write("new/binary", [0, 2]);
    let patch = sides.diff(&["./old", "./new"]).expect(0).stdout;
    sides.write("patch", patch);
    let applied = Command::new("git")
        .args(["apply", "-p1", "../patch"])
        .current_dir(sides.dir.path().join("old"))
        .output()
        .expect("git");
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    assert_snapshot!(sides.diff(&["./old", "./new"]), @r"
    exit: 0
    --- stdout
    binary files a/binary and b/binary differ

    --- stderr
    [CLOCK] 0 added, 1 changed, 0 removed
    ");
}

#[test]
fn one_source_is_compared_with_what_it_was() {
    let (sides, name) = (changed(), unique("diff-at"));
    sides.local.done(["up", "-n", &name]);
    for side in ["old", "new"] {
        let seed = ["seed", "-n", &name, "--area", &name, "--no-plain"];
        sides.local.rstack(seed).args([sides.path(side)]).run().expect(0);
    }
    let environment = ["-n", name.as_str(), "--name-only", "-q"];
    let diff = |args: &[&str]| sides.diff(&[args, &environment].concat());
    let output = sides.local.done(["releases", "-n", &name, &name, "--output", "json"]);
    let moves = output.json_lines().pop().expect("a result")["data"]["moves"].clone();
    let first = moves[1]["release"].as_str().expect("an id").to_owned();
    let all = "gone.py\nlarge.csv\nlogo.png\npkg/__init__.py\nsettings.py\n";
    assert_eq!(diff(&[&name, "--at", &first]).expect(0).stdout, all);
    assert_eq!(diff(&[&format!("{name}?at={first}"), &name]).expect(0).stdout, all);
    assert_eq!(diff(&[&name, "./old", "--at", &first]).expect(0).stdout, "");
    assert_eq!(diff(&[&name, "./new"]).expect(0).stdout, "");
    let both = diff(&[&format!("{name}?at={first}"), "--at", &first]).expect(2);
    assert!(both.stderr.contains("contradict each other"), "{both}");
    let one = diff(&[&name]).expect(2);
    assert!(one.stderr.contains("required"), "{one}");
    diff(&["./old", "./new", "--at", &first]).expect(2);
    sides.local.done(["down", "-n", &name, "--yes"]);
}
