//! How a call of the binary ended, for assertions and snapshots.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::LazyLock;

use regex::Regex;

/// What changes from run to run, and the word that stands for it. In this order.
static FILTERS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (
            r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
            "[UUID]",
        ),
        (r"\b[0-9a-f]{16}\b", "[RELEASE]"),
        (r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?Z?", "[TIME]"),
        (r"\b\d{2}:\d{2}:\d{2}\b", "[CLOCK]"),
        (r#""(\w*seconds|\w*_ms)":\d+(\.\d+)?(e-?\d+)?"#, r#""$1":[NUMBER]"#),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
        (r"\bport \d+", "port [PORT]"),
        (r"\bpid \d+", "pid [PID]"),
        (r"\b\d+(\.\d+)? ?[kKMG]?i?B/s", "[RATE]"),
        (
            r"(\b\d+(\.\d+)? ?(ns|µs|us|ms|s|sec|min|m|h|d|days?|hours?|minutes?|seconds?)\b ?)+",
            "[DURATION] ",
        ),
        (r"\[DURATION\] (\n|$|[^\w\[(])", "[DURATION]$1"),
    ]
    .into_iter()
    .map(|(pattern, word)| (Regex::new(pattern).expect("a good pattern"), word))
    .collect()
});

pub(crate) struct Output {
    pub(super) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(super) hidden: Vec<(String, String)>,
}

impl Output {
    /// The exit code; `None` when a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Fails the test with all that was said when the exit code is another one.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert!(
            self.code() == Some(code),
            "exit code {code} was expected\n{}",
            self.render(false)
        );
        self
    }

    /// stdout as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}\n{}", self.render(false)))
    }

    /// stdout as JSON lines.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}\n{}", self.render(false)));
        self.stdout.lines().map(parse).collect()
    }

    fn render(&self, filtered: bool) -> String {
        let ending = match (self.status.code(), self.status.signal()) {
            (Some(code), _) => code.to_string(),
            (None, signal) => format!("signal {}", signal.unwrap_or_default()),
        };
        let clean = |text: &str| if filtered { self.filter(text) } else { text.to_owned() };
        format!(
            "exit: {ending}\n--- stdout\n{}\n--- stderr\n{}",
            clean(&self.stdout),
            clean(&self.stderr)
        )
    }

    fn filter(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (hidden, word) in &self.hidden {
            text = text.replace(hidden, word);
        }
        for (pattern, word) in FILTERS.iter() {
            text = pattern.replace_all(&text, *word).into_owned();
        }
        text
    }
}

/// The form for snapshots.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(true))
    }
}
