//! What differs between two sources.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use similar::TextDiff;

use super::portion::{Side, portions};
use super::union::{Entry, Member, Source};
use crate::error::{Error, Result};
use crate::publish::BYTECODE;

/// A file larger than this is not compared line by line, in bytes.
const LARGEST: u64 = 8 << 20;
/// For the shortest way from one text to the other; after it a longer one is good enough.
const EFFORT: Duration = Duration::from_secs(1);

/// A path whose content is not the same in both sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub path: String,
    /// In the first source; `None` when it is added.
    pub before: Option<Entry>,
    /// In the second source; `None` when it is removed.
    pub after: Option<Entry>,
}

/// How a difference can be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "content", content = "diff", rename_all = "snake_case")]
pub enum Patch {
    /// A unified diff, in the form that git gives it.
    Text(String),
    /// One of the two is no text.
    Binary,
    /// One of the two is too large to be compared line by line.
    Large,
}

/// Every path that differs, in order; told without asking a store. A folder never has bytecode, so beside one it does
/// not count.
#[must_use]
pub fn differences(before: &Source, after: &Source) -> Vec<Difference> {
    let mut all: BTreeMap<String, (Option<Entry>, Option<Entry>)> = BTreeMap::new();
    for (path, entry) in before.list() {
        all.entry(path).or_default().0 = Some(entry);
    }
    for (path, entry) in after.list() {
        all.entry(path).or_default().1 = Some(entry);
    }
    let folder = |source: &Source| source.members().any(|(_, member)| matches!(member, Member::Folder(_)));
    let bytecode = |path: &str| path.split('/').any(|name| name == BYTECODE);
    let scripts_only = folder(before) || folder(after);
    let differs = |(path, (before, after)): (String, (Option<Entry>, Option<Entry>))| {
        let same =
            before.map(|entry| entry.sha256) == after.map(|entry| entry.sha256) || scripts_only && bytecode(&path);
        (!same).then_some(Difference { path, before, after })
    };
    all.into_iter().filter_map(differs).collect()
}

/// Reads what differs, a portion at a time, and tells it in order until `each` breaks off.
///
/// # Errors
/// When a source cannot be read, or what it holds is not what its hash says.
pub async fn describe(
    before: &Source,
    after: &Source,
    differences: &[Difference],
    each: &mut dyn FnMut(&Difference, Patch) -> ControlFlow<()>,
) -> Result<()> {
    let sides: [Side<'_, Difference>; 2] = [
        (before, |difference| difference.readable(difference.before)),
        (after, |difference| difference.readable(difference.after)),
    ];
    for portion in portions(differences, &sides) {
        let mut contents = Vec::with_capacity(sides.len());
        for (source, path) in sides {
            let paths: Vec<&str> = portion.iter().filter_map(path).collect();
            contents.push(source.read_many(&paths).await?.into_iter());
        }
        for difference in portion {
            let [before, after] = [0, 1].map(|side| {
                let wanted = sides[side].1(difference).is_some();
                wanted.then(|| contents[side].next().flatten()).flatten()
            });
            let patch = patch(difference, before, after).await?;
            if each(difference, patch).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

impl Difference {
    fn is_large(&self) -> bool {
        let sides = [self.before, self.after];
        sides.iter().flatten().any(|entry| entry.size > LARGEST)
    }

    /// The path, where there is something to read on this side.
    fn readable(&self, side: Option<Entry>) -> Option<&str> {
        side.filter(|_| !self.is_large()).map(|_| self.path.as_str())
    }
}

async fn patch(difference: &Difference, before: Option<Bytes>, after: Option<Bytes>) -> Result<Patch> {
    if difference.is_large() {
        return Ok(Patch::Large);
    }
    let heading = Heading::of(difference);
    let compared = move || {
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        match (text(&before), text(&after)) {
            (Some(before), Some(after)) => Patch::Text(unified(&heading, before, after)),
            _ => Patch::Binary,
        }
    };
    tokio::task::spawn_blocking(compared)
        .await
        .map_err(|error| Error::unexpected(format!("comparing broke off: {error}")))
}

/// What a unified diff can show: its lines end in a line feed, or say that they do not.
fn text(content: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(content).ok()?;
    (!text.contains('\0') && !text.ends_with('\r')).then_some(text)
}

/// The lines above a diff, in git's form, which also says that an empty file comes or goes.
struct Heading {
    /// Of every diff.
    first: String,
    /// Where there are lines to show.
    names: String,
}

impl Heading {
    fn of(difference: &Difference) -> Self {
        let path = &difference.path;
        let mode = match (&difference.before, &difference.after) {
            (None, _) => "new file mode 100644\n",
            (_, None) => "deleted file mode 100644\n",
            (Some(_), Some(_)) => "",
        };
        let named = |side: &str| quoted(format!("{side}/{path}"));
        let name = |side: &str, entry: Option<Entry>| match entry {
            Some(_) => named(side),
            None => "/dev/null".to_owned(),
        };
        let (before, after) = (name("a", difference.before), name("b", difference.after));
        Self {
            first: format!("diff --git {} {}\n{mode}", named("a"), named("b")),
            names: format!("--- {before}\n+++ {after}\n"),
        }
    }
}

/// A name as git writes it, and reads it again: as it is, or in quotes when something in it would end it or its line.
fn quoted(name: String) -> String {
    if !name.contains(|letter: char| letter.is_control() || matches!(letter, '"' | '\\')) {
        return name;
    }
    let mut quoted = String::from('"');
    for letter in name.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => {
                for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a String cannot fail.
                    let _ = write!(quoted, "\\{byte:03o}");
                }
            }
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

fn unified(heading: &Heading, before: &str, after: &str) -> String {
    // Only line feeds end a line: other programs count so when they apply it.
    let before: Vec<&str> = before.split_inclusive('\n').collect();
    let after: Vec<&str> = after.split_inclusive('\n').collect();
    let diff = TextDiff::configure()
        .timeout(EFFORT)
        .newline_terminated(true)
        .diff_slices(&before, &after);
    let names = if diff.ops().is_empty() { "" } else { &heading.names };
    format!("{}{names}{}", heading.first, diff.unified_diff())
}
