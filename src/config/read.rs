//! Reading the file: what is wrong with it becomes an error with file, line, column and a way out.

use std::path::Path;

use super::Config;
use super::once::Once;
use crate::error::{Error, Result};

/// The file that is read when none is named.
pub const FILE_NAME: &str = "rstack.yaml";

/// Reads a file.
///
/// # Errors
/// When it cannot be read, and as [`parse`].
pub fn read(path: &Path) -> Result<Config> {
    let bytes = std::fs::read(path).map_err(|e| {
        Error::configuration(format!(
            "the configuration file `{}` cannot be read: {e}",
            path.display()
        ))
        .with_hint("name an existing file, or write one with `rstack init`")
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|e| not_utf8(&bytes[..e.valid_up_to()], path))?;
    parse(text, path)
}

/// `before` is what can still be read, and so tells where the trouble begins.
fn not_utf8(before: &[u8], path: &Path) -> Error {
    let before = String::from_utf8_lossy(before);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let path = path.display();
    Error::configuration(format!("{path}:{line}:{column}: this is not UTF-8")).with_hint(format!(
        "save the file as UTF-8, as `iconv -f LATIN1 -t UTF-8 {path}` does of a file in Latin-1"
    ))
}

/// As [`read`], but a file that is not there is an empty configuration.
pub fn read_if_there(path: &Path) -> Result<Config> {
    match path.try_exists() {
        Ok(false) => Ok(Config::default()),
        _ => read(path),
    }
}

/// Reads the content of a file; `path` is for the errors. A file of comments alone is an empty configuration.
///
/// # Errors
/// Configuration errors that name file, line and column: no YAML, an unknown key, a value of the wrong kind, a value
/// that AWS would refuse, keys that contradict each other.
pub fn parse(text: &str, path: &Path) -> Result<Config> {
    let wrong = |error| explain(&error, path);
    serde_yaml::from_str::<Option<Once>>(text).map_err(wrong)?;
    let config: Option<Config> = serde_yaml::from_str(text).map_err(wrong)?;
    Ok(config.unwrap_or_default())
}

fn explain(error: &serde_yaml::Error, path: &Path) -> Error {
    let text = error.to_string();
    let (place, message) = match error.location() {
        Some(at) => {
            // The reader's own text ends in the position, or has it in the middle; ours stands in front, as in compilers.
            let here = format!(" at line {} column {}", at.line(), at.column());
            (
                format!("{}:{}:{}", path.display(), at.line(), at.column()),
                text.replacen(&here, "", 1),
            )
        }
        None => (path.display().to_string(), text),
    };
    let (message, hint) = reword(&message);
    Error::configuration(format!("{place}: {message}")).with_hint(hint)
}

/// serde speaks of fields and variants; whoever writes the file knows keys and values.
fn reword(message: &str) -> (String, String) {
    let fallback = "`rstack init` writes a file with every key explained";
    if let Some((before, rest)) = message.split_once("unknown field ") {
        let (key, known) = rest.split_once(", expected ").unwrap_or((rest, ""));
        let known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
        let hint = nearest(key.trim_matches('`'), &known).map_or_else(
            || format!("keys here are {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return (format!("{before}unknown key {key}"), hint);
    }
    if let Some((before, rest)) = message.split_once("unknown variant ") {
        return (format!("{before}unknown value {rest}"), fallback.to_owned());
    }
    if message.ends_with(" is there twice") {
        return (message.to_owned(), "keep one of them".to_owned());
    }
    (message.to_owned(), fallback.to_owned())
}

/// The known key that a slip of the pen turns into `key`: at most two letters changed, added, left out.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|&candidate| (distance(key, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= 2 && distance < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
