//! `rstack releases`.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use clap::Args as ClapArgs;
use futures_util::{StreamExt, TryStreamExt, stream};
use rstack::event::{Event, Reporter};
use rstack::release::{Changes, DamagedMove, Keeping, KeptManifest, Marker, MoveKind, Origin, Pin, Place, ReleaseId};
use rstack::store::StoreError;
use rstack::time::Timestamp;
use rstack::trust::{PublicKey, SignatureState};
use rstack::{Outcome, Result};
use serde::Serialize;

use super::shell::completed;
use super::{Context, source};
use crate::ui::{Line, Role, Style, Table, text};

/// Show the history of an area: every move of its marker, and what each release changed
#[derive(Debug, ClapArgs)]
#[command(after_help = format!("{AFTER_HELP}\n\n{}", source::HELP))]
pub(crate) struct Args {
    /// Which area [default: `main` of the environment]
    #[arg(value_name = "SOURCE")]
    source: Option<String>,
    /// The history up to this release, or as it was at this time
    #[arg(long, value_name = "RELEASE|TIME")]
    at: Option<Pin>,
    /// How many moves to show, the newest first
    #[arg(long, value_name = "N", default_value = "20")]
    limit: usize,
}

const AFTER_HELP: &str = "\
stdout: a line for each move; `*` marks the one that is current, with `--at` the one that was; + ~ - count files \
against the move before, `?` where that cannot be told any more.

Exit codes: 0 shown, 1 there is no release or a store cannot be read, 2 usage, 3 something in the history is damaged

Examples:
  rstack releases -n demo prod
  rstack releases s3://my-bucket/prod --limit 5
  rstack releases -n demo prod --at 2026-11-01T12:00:00Z";

/// Manifests that are read at once.
const AT_ONCE: usize = 8;

#[derive(Debug, Serialize)]
struct Report {
    area: String,
    current: ReleaseId,
    moves: Vec<Moved>,
    /// Moves among them that are kept and cannot be read.
    damaged: Vec<Damaged>,
    /// Moves that are kept beside those shown.
    more: usize,
    /// So that a move without a signature is worth a word.
    #[serde(skip)]
    keys_are_trusted: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Damaged {
    sequence: u64,
    message: String,
    #[serde(skip)]
    hint: Option<String>,
}

impl Damaged {
    fn of(found: &DamagedMove) -> Self {
        Self::new(found.sequence, &found.error)
    }

    fn new(sequence: u64, error: &StoreError) -> Self {
        Self {
            sequence,
            message: error.to_string(),
            hint: error.hint(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Moved {
    sequence: u64,
    kind: MoveKind,
    release: ReleaseId,
    current: bool,
    time: Timestamp,
    author: String,
    /// Of the move.
    reason: Option<String>,
    /// What has become of the release.
    keeping: Keeping,
    /// Of the release.
    message: Option<String>,
    parent: Option<ReleaseId>,
    /// Where a promoted release came from.
    origin: Option<Origin>,
    /// Whose signature it has, whatever that is worth.
    signed_by: Option<PublicKey>,
    signature: SignatureState,
    /// What is wrong with its manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
    /// Null when they are deleted, or its manifest is damaged.
    files: Option<usize>,
    /// Against what was current before; null when that is not kept any more.
    added: Option<usize>,
    changed: Option<usize>,
    removed: Option<usize>,
    /// Paths and directories that the release hides in a union, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    hides: Option<usize>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let url = source::url(context, self.source.as_deref(), &source::At::default())?;
        let place = Box::pin(source::place(context, &url)).await?;
        let (report, damage) = context
            .until_interrupted(look(&place, self.at.as_ref(), self.limit))
            .await?;
        for Damaged { message, hint, .. } in damage {
            let hint = hint.map(|hint| completed(&hint, &context.settings));
            context.ui.report(&Event::Warning { message, hint });
        }
        if !place.trusted.is_empty() {
            warn(&report, context.ui);
        }
        let outcome = report.outcome();
        context
            .ui
            .finish("releases", &report, outcome, |style| words(&report, style));
        Ok(outcome)
    }
}

impl Report {
    fn outcome(&self) -> Outcome {
        if self.damaged.is_empty() && self.moves.iter().all(|step| step.damage.is_none()) {
            Outcome::Done
        } else {
            Outcome::Partial
        }
    }
}

/// The history, and what is damaged in it.
async fn look(place: &Place, at: Option<&Pin>, limit: usize) -> Result<(Report, Vec<Damaged>)> {
    let (moves, damaged) = place.readable_moves().await?;
    let newest = at.map_or(Ok(0), |pin| pin.among(&moves, &place.area))?;
    let until_then = &moves[newest..];
    let shown = &until_then[..until_then.len().min(limit)];
    // One more, which the last of them is compared with.
    let compared = until_then.iter().take(limit.saturating_add(1));
    let keeping = |step: &Marker| {
        let last = moves.iter().find(|other| other.release == step.release);
        moves[0].keeping(last.unwrap_or(step).sequence)
    };
    let kept = load(place, compared.filter(|step| keeping(step) != Keeping::Deleted)).await?;
    let whole = |release: &ReleaseId| match kept.get(release) {
        Some(KeptManifest::Whole(manifest)) => Some(&**manifest),
        _ => None,
    };
    let line = |(at, step): (usize, &Marker)| {
        let manifest = whole(&step.release);
        let before = until_then
            .get(at + 1)
            .filter(|before| before.sequence + 1 == step.sequence);
        let before = before.and_then(|before| whole(&before.release));
        let comparable = manifest.filter(|_| step.sequence == 1 || before.is_some());
        let changes = comparable.map(|manifest| Changes::between(before, manifest));
        let count = |of: fn(&Changes) -> &Vec<String>| changes.as_ref().map(|changes| of(changes).len());
        Moved {
            sequence: step.sequence,
            kind: step.kind,
            release: step.release.clone(),
            current: at == 0,
            time: step.time,
            author: step.author.clone(),
            reason: step.reason.clone(),
            keeping: keeping(step),
            message: manifest.and_then(|manifest| manifest.message.clone()),
            parent: manifest.and_then(|manifest| manifest.parent.clone()),
            origin: step.origin.clone(),
            signed_by: step.signature.as_ref().map(|signature| signature.key),
            signature: place.signature_state(step),
            damage: damage_of(&kept, step).map(ToString::to_string),
            files: manifest.map(|manifest| manifest.files.len()),
            added: count(|changes| &changes.added),
            changed: count(|changes| &changes.changed),
            removed: count(|changes| &changes.removed),
            hides: manifest
                .map(|manifest| manifest.removed.len())
                .filter(|hides| *hides > 0),
        }
    };
    let range = range(shown, until_then);
    let damaged = damaged.iter().filter(|found| range.contains(&found.sequence));
    let damaged: Vec<Damaged> = damaged.map(Damaged::of).collect();
    let mut warnings = damaged.clone();
    let manifests = shown
        .iter()
        .filter_map(|step| Some(Damaged::new(step.sequence, damage_of(&kept, step)?)));
    for found in manifests {
        // The same release may have been current more than once.
        if warnings.iter().all(|known| known.message != found.message) {
            warnings.push(found);
        }
    }
    let report = Report {
        area: place.area.to_string(),
        moves: shown.iter().enumerate().map(line).collect(),
        more: until_then.len() - shown.len(),
        damaged,
        keys_are_trusted: !place.trusted.is_empty(),
        current: until_then[0].release.clone(),
    };
    Ok((report, warnings))
}

/// The numbers of the moves that are shown, with those between them; all before them too when no more are kept.
fn range(shown: &[Marker], until_then: &[Marker]) -> RangeInclusive<u64> {
    let oldest = shown.last().filter(|_| shown.len() < until_then.len());
    let oldest = oldest.map_or(1, |step| step.sequence);
    oldest..=until_then[0].sequence
}

fn damage_of<'k>(kept: &'k HashMap<ReleaseId, KeptManifest>, step: &Marker) -> Option<&'k StoreError> {
    match kept.get(&step.release) {
        Some(KeptManifest::Damaged(error)) => Some(error),
        _ => None,
    }
}

/// What is left of the manifests of these moves' releases, each once.
async fn load(place: &Place, steps: impl Iterator<Item = &Marker>) -> Result<HashMap<ReleaseId, KeptManifest>> {
    let distinct: HashMap<&ReleaseId, &Marker> = steps.map(|step| (&step.release, step)).collect();
    let reads: Vec<_> = distinct
        .into_values()
        .map(|step| async move { Ok((step.release.clone(), place.kept_manifest(step).await?)) })
        .collect();
    stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await
}

/// Says how many of the moves readers will not take.
fn warn(report: &Report, reporter: &dyn Reporter) {
    let refused = report
        .moves
        .iter()
        .filter(|step| step.signature != SignatureState::Trusted);
    let refused = refused.count() as u64;
    if refused > 0 {
        reporter.report(&Event::Warning {
            message: format!(
                "{} shown here without the signature of a trusted key",
                text::count(refused, "move")
            ),
            hint: Some(
                "whoever trusts keys cannot read them; `rstack seed --sign KEY` signs the current one".to_owned(),
            ),
        });
    }
}

/// Who made a move, and what its signature is worth.
fn by(step: &Moved, keys_are_trusted: bool) -> (Role, String) {
    let author = &step.author;
    let key = step.signed_by.map(|key| key.to_string()).unwrap_or_default();
    // Enough of it to tell keys apart: the scheme and eight digits.
    let key: String = key.chars().take(16).collect();
    match step.signature {
        SignatureState::Unsigned if keys_are_trusted => (Role::Bad, format!("{author}, not signed")),
        SignatureState::Unsigned => (Role::Plain, author.clone()),
        SignatureState::Fits => (Role::Plain, format!("{author}, signed {key}…")),
        SignatureState::Trusted => (Role::Good, format!("{author}, signed {key}…")),
        SignatureState::UnknownKey => (Role::Bad, format!("{author}, unknown key {key}…")),
        SignatureState::Wrong => (Role::Bad, format!("{author}, wrong signature")),
    }
}

/// The row of a move of which nothing but its number can be told.
fn unreadable(found: &Damaged) -> [(Role, String); 11] {
    let mut row = [(); 11].map(|()| (Role::Plain, String::new()));
    row[0] = (Role::Quiet, found.sequence.to_string());
    row[5] = (Role::Bad, "damaged".to_owned());
    for column in &mut row[6..10] {
        column.1.push('?');
    }
    row
}

fn words(report: &Report, style: Style) -> String {
    let mut table = Table::new(&[
        ">MOVE", "", "RELEASE", "TIME", "BY", "WHAT", ">FILES", ">+", ">~", ">-", "WHY",
    ]);
    let count = |number: Option<usize>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let mut damaged = report.damaged.iter().peekable();
    for step in &report.moves {
        while let Some(found) = damaged.next_if(|found| found.sequence > step.sequence) {
            table.row(unreadable(found));
        }
        let (mark, role) = if step.current {
            ("*", Role::Good)
        } else {
            ("", Role::Plain)
        };
        let kind = match &step.origin {
            Some(origin) => format!("{} from {}", step.kind.as_str(), origin.area),
            None => step.kind.as_str().to_owned(),
        };
        let kind = match step.hides {
            Some(hides) => format!("{kind}, hides {hides}"),
            None => kind,
        };
        let kind = match step.keeping {
            Keeping::Kept => kind,
            Keeping::Retired | Keeping::Deleted => format!("{kind}, pruned"),
        };
        let (kind_role, kind) = match step.damage {
            None => (Role::Plain, kind),
            Some(_) => (Role::Bad, format!("{kind}, manifest damaged")),
        };
        table.row([
            (Role::Quiet, step.sequence.to_string()),
            (role, mark.to_owned()),
            (role, step.release.to_string()),
            (Role::Plain, step.time.to_string()),
            by(step, report.keys_are_trusted),
            (kind_role, kind),
            (Role::Plain, count(step.files)),
            (Role::Plain, count(step.added)),
            (Role::Plain, count(step.changed)),
            (Role::Plain, count(step.removed)),
            (Role::Plain, step.reason.clone().unwrap_or_default()),
        ]);
    }
    for found in damaged {
        table.row(unreadable(found));
    }
    let mut words = table.render(style);
    if report.more > 0 {
        let more = format!("{} more; `--limit` shows them", text::count(report.more as u64, "move"));
        words.push_str(&Line::new().and(Role::Quiet, more).render(style));
        words.push('\n');
    }
    words
}
