//! YAML that every reader understands alike.
//!
//! CloudFormation reads YAML 1.1, where a table called `1_000` or `yes` is a number or a truth. Writers of YAML 1.2 leave
//! such words without quotes. This one quotes whatever is not plainly text.

use std::fmt::Write as _;

use serde_json::Value;

/// Block style, two spaces a level, ends in a line feed.
pub(super) fn write(document: &Value) -> String {
    let mut text = String::new();
    block(document, 0, &mut text);
    text
}

/// `value` on lines of its own.
fn block(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let _ = write!(text, "{:indent$}{}:", "", scalar_text(key));
                after_mark(value, indent + 2, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                item_of_list(item, indent, text);
            }
        }
        _ => {
            let _ = writeln!(text, "{:indent$}{}", "", scalar(value));
        }
    }
}

/// What follows a key's colon.
fn after_mark(value: &Value, indent: usize, text: &mut String) {
    if is_block(value) {
        text.push('\n');
        block(value, indent, text);
    } else {
        let _ = writeln!(text, " {}", scalar(value));
    }
}

/// The first line of a block stands beside the dash.
fn item_of_list(item: &Value, indent: usize, text: &mut String) {
    let start = text.len();
    block(item, indent + 2, text);
    text.replace_range(start + indent..=start + indent, "-");
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(entries) => !entries.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

/// JSON's form is also YAML's, for numbers, truths, empty collections and quoted text.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => scalar_text(text),
        other => other.to_string(),
    }
}

fn scalar_text(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

/// Text in every version of YAML without quotes: starts with a letter, has nothing that means something to YAML, and is
/// no word for a truth or for nothing.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let harmless = |c: char| c.is_ascii_alphanumeric() || " _-./:,()*".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(harmless)
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
    }

    #[test]
    fn blocks_scalars_and_lists() {
        let value = json!({"A": {"B": [1, "x", {"C": "d", "E": []}, ["f", true]]}, "G": {}, "Fn::Sub": "${x}"});
        let text = write(&value);
        let expected = "\
A:
  B:
    - 1
    - x
    - C: d
      E: []
    - - f
      - true
G: {}
Fn::Sub: \"${x}\"
";
        assert_eq!(text, expected);
        assert_eq!(read(&text), value);
    }

    #[test]
    fn what_some_reader_takes_for_something_else_is_quoted() {
        for word in [
            "yes",
            "Off",
            "n",
            "1_000",
            "0777",
            "2010-09-09",
            "1e3",
            ".inf",
            "~",
            "",
            "a: b",
            "a #b",
            "a:",
            "'",
        ] {
            assert!(!is_plain(word), "{word:?}");
        }
        for word in [
            "AWS::S3::Bucket",
            "s3:*",
            "cache.t4g.micro",
            "The S3 bucket",
            "aws:SecureTransport",
        ] {
            assert!(is_plain(word), "{word:?}");
        }
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-zA-Z:. ]{1,8}", inner, 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in json_value()) {
            prop_assert_eq!(read(&write(&value)), value);
        }
    }
}
