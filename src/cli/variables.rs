//! Names and values as other programs read them: shells, `.env` files, GitHub Actions, JSON.

use std::collections::hash_map::RandomState;
use std::fmt::Write as _;
use std::hash::BuildHasher;

use clap::ValueEnum;
use serde::{Serialize, Serializer};

use super::shell::quote;

/// In what form to print variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VariableFormat {
    /// NAME=value lines, as in .env files
    Env,
    /// For `eval "$(…)"` in a shell
    Shell,
    /// One JSON object
    Json,
    /// Appended to the file that GITHUB_OUTPUT names
    Github,
}

/// Variables in the order in which they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Variables(Vec<(String, String)>);

impl Variables {
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// The text in `format`, every line ended.
    pub(crate) fn render(&self, format: VariableFormat) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            let _ = match format {
                VariableFormat::Env => writeln!(text, "{name}={}", dotenv(value)),
                VariableFormat::Shell => writeln!(text, "export {name}={}", quote(value)),
                VariableFormat::Github => write!(text, "{}", github(name, value)),
                VariableFormat::Json => Ok(()),
            };
        }
        if format == VariableFormat::Json {
            text = format!("{:#}\n", serde_json::json!(self));
        }
        text
    }
}

impl Serialize for Variables {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Needs no quotes anywhere.
fn simple(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-./:@%+,".contains(&b))
}

/// `.env` files: single quotes keep everything on one line as it is; otherwise double quotes with escapes.
fn dotenv(value: &str) -> String {
    if simple(value) {
        return value.to_owned();
    }
    if !value.contains(['\'', '\n', '\r', '\\']) {
        return format!("'{value}'");
    }
    let mut quoted = String::from("\"");
    for c in value.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '"' | '\\' | '$' | '`' => quoted.extend(['\\', c]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// GitHub's file commands: one line, or a block between delimiters that nobody can foresee, so that a value cannot
/// end its block and set other variables.
fn github(name: &str, value: &str) -> String {
    if !value.contains(['\n', '\r']) {
        return format!("{name}={value}\n");
    }
    let random = || RandomState::new().hash_one(value);
    let delimiter = format!("rstack_{:016x}{:016x}", random(), random());
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use proptest::prelude::*;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.set("A", "plain-1.2:3/x");
        variables.set("B", "it's $HOME `x` \"q\" \\n");
        variables.set("C", "two\nlines");
        variables.set("D", "");
        variables.set("E", "a b # c");
        variables
    }

    #[test]
    fn env_files_quote_what_needs_it() {
        insta::assert_snapshot!(variables().render(VariableFormat::Env), @r#"
        A=plain-1.2:3/x
        B="it's \$HOME \`x\` \"q\" \\n"
        C="two\nlines"
        D=''
        E='a b # c'
        "#);
    }

    #[test]
    fn json_keeps_the_order() {
        insta::assert_snapshot!(variables().render(VariableFormat::Json), @r#"
        {
          "A": "plain-1.2:3/x",
          "B": "it's $HOME `x` \"q\" \\n",
          "C": "two\nlines",
          "D": "",
          "E": "a b # c"
        }
        "#);
    }

    #[test]
    fn a_value_cannot_end_its_github_block() {
        let text = variables().render(VariableFormat::Github);
        assert!(text.contains("A=plain-1.2:3/x\n"), "{text}");
        let delimiter = |text: &str| {
            text.split_once("C<<")
                .and_then(|(_, rest)| Some(rest.split_once('\n')?.0.to_owned()))
        };
        let first = delimiter(&text).expect("a block");
        assert!(text.contains(&format!("C<<{first}\ntwo\nlines\n{first}\n")), "{text}");
        assert_ne!(Some(first), delimiter(&variables().render(VariableFormat::Github)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_real_shell_reads_every_value_back(value in "[^\0]{0,40}") {
            let mut variables = Variables::default();
            variables.set("X", value.as_str());
            let script = format!("{}printf %s \"$X\"", variables.render(VariableFormat::Shell));
            let output = Command::new("sh").arg("-c").arg(script).output().expect("sh runs");
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), value);
        }
    }
}
