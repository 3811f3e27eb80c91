//! Random moves of several areas against a plain model.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use rstack::aws::Aws;
use rstack::interrupt;
use rstack::release::{Keep, Load, LocalCache, Opening, Pin, Reader, Source, SourceUrl};
use rstack::store::{FileStore, Store};
use rstack::trust::TrustedKeys;
use rstack::{ErrorKind, Result};
use tempfile::TempDir;

use super::world::{Files, Silence, World};
use crate::support::block_on;

/// Hot fixes, staging, production.
const AREAS: usize = 3;

#[derive(Debug, Clone)]
pub(super) enum Act {
    /// The whole area.
    Publish(usize, Files),
    /// Files on top of what is there.
    Add(usize, Files),
    /// Hides a file or a directory.
    Remove(usize, String),
    /// Back to the release before.
    Back(usize),
    /// To one that the area was at.
    BackTo(usize, prop::sample::Index),
    Promote(usize, usize),
    /// A day and an hour after the last time; so many releases stay.
    Prune(usize, usize),
    /// Reads what an earlier release had.
    ReadBack(usize, prop::sample::Index),
    /// Reads what was current at the time of an earlier move.
    ReadThen(usize, prop::sample::Index),
}

fn path() -> impl Strategy<Value = String> {
    "(a|b|c|pkg/d|pkg/e|pkg/sub/f)\\.py".prop_map(|path| path)
}

/// A file, or a directory.
fn removable() -> impl Strategy<Value = String> {
    prop_oneof![3 => path(), 1 => "pkg(/sub)?".prop_map(|path| path)]
}

/// Whether one of these is the path, or a directory that it is in.
fn hides(removed: &[impl AsRef<str>], path: &str) -> bool {
    let is_in = |directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    removed
        .iter()
        .map(AsRef::as_ref)
        .any(|removed| removed == path || is_in(removed))
}

fn some_files() -> impl Strategy<Value = Files> {
    let content = prop_oneof![
        "[x-z]{0,3}".prop_map(Bytes::from),
        (0..=u8::MAX, 1..300_usize).prop_map(|(byte, times)| Bytes::from(vec![byte; times * 1000])),
    ];
    prop::collection::btree_map(path(), content, 0..5)
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let (area, index) = (0..AREAS, any::<prop::sample::Index>());
    prop_oneof![
        3 => (area.clone(), some_files()).prop_map(|(area, files)| Act::Publish(area, files)),
        4 => (area.clone(), some_files()).prop_map(|(area, files)| Act::Add(area, files)),
        2 => (area.clone(), removable()).prop_map(|(area, path)| Act::Remove(area, path)),
        2 => area.clone().prop_map(Act::Back),
        1 => (area.clone(), index.clone()).prop_map(|(area, which)| Act::BackTo(area, which)),
        2 => (area.clone(), area.clone()).prop_map(|(from, to)| Act::Promote(from, to)),
        3 => (area.clone(), 1..3_usize).prop_map(|(area, keep)| Act::Prune(area, keep)),
        3 => (area.clone(), index.clone()).prop_map(|(area, which)| Act::ReadBack(area, which)),
        2 => (area, index).prop_map(|(area, which)| Act::ReadThen(area, which)),
    ]
}

/// What a release is: id, files, hidden paths.
#[derive(Debug, Clone, Default, PartialEq)]
struct Release {
    id: String,
    files: Files,
    hidden: Vec<String>,
}

/// What an area was at, move by move, and the releases that lead to where it is, without detours.
#[derive(Debug, Default)]
struct Line {
    moves: Vec<Release>,
    trail: Vec<String>,
    /// Pruned once, and pruned twice: not read any more, and gone.
    retired: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

impl Line {
    fn current(&self) -> Option<&Release> {
        self.moves.last()
    }

    fn is_at(&self, id: &str) -> bool {
        self.current().is_some_and(|current| current.id == id)
    }

    fn onward(&mut self, release: Release) {
        // Named again, it is kept again.
        self.retired.remove(&release.id);
        self.deleted.remove(&release.id);
        self.trail.push(release.id.clone());
        self.moves.push(release);
    }

    fn back(&mut self, release: Release) {
        if let Some(at) = self.trail.iter().rposition(|id| *id == release.id) {
            self.trail.truncate(at);
        }
        self.onward(release);
    }

    fn is_read(&self, release: &Release) -> bool {
        !self.retired.contains(&release.id) && !self.deleted.contains(&release.id)
    }

    fn prune(&mut self, keep: usize) {
        self.deleted.append(&mut self.retired);
        let mut newest: Vec<&str> = Vec::new();
        for release in self.moves.iter().rev() {
            if !newest.contains(&release.id.as_str()) {
                newest.push(&release.id);
            }
        }
        let old = newest.into_iter().skip(keep).filter(|id| !self.deleted.contains(*id));
        self.retired = old.map(str::to_owned).collect();
    }

    fn named(&self, id: &str) -> Release {
        let found = self.moves.iter().find(|release| release.id == id);
        found.expect("the area was at it").clone()
    }
}

/// The areas of an environment, and what they should be.
struct Play<'a> {
    worlds: [World; AREAS],
    lines: [Line; AREAS],
    unions: Option<&'a Unions>,
    /// How far the clock is ahead.
    later: Duration,
}

/// How unions of the areas are read.
pub(super) struct Unions {
    /// Where the stores are, as in the address of a source before the area.
    pub(super) stores: [String; 3],
    pub(super) aws: Option<Aws>,
}

pub(super) async fn play(world: &World, acts: &[Act], unions: Option<&Unions>) {
    let area = |what: &str| World {
        area: format!("{}-{what}", world.area).parse().expect("an area"),
        ..world.clone()
    };
    let mut play = Play {
        worlds: [area("hotfix"), area("uat"), area("prod")],
        lines: Default::default(),
        unions,
        later: Duration::ZERO,
    };
    for act in acts {
        if let Some(touched) = play.act(act).await {
            play.check(touched).await;
        }
    }
    for area in 0..AREAS {
        play.check_history(area).await;
    }
}

impl Play<'_> {
    /// Does it, in the stores and in the model; gives the area that was touched.
    async fn act(&mut self, act: &Act) -> Option<usize> {
        match act {
            Act::Publish(area, new) => self.publish(*area, new, false, &[]).await,
            Act::Add(area, new) => self.publish(*area, new, true, &[]).await,
            Act::Remove(area, path) => self.publish(*area, &Files::new(), true, &[path]).await,
            Act::Back(area) => self.back(*area).await,
            Act::BackTo(area, which) => self.back_to(*area, which).await?,
            Act::Promote(from, to) => return self.promote(*from, *to).await,
            Act::Prune(area, keep) => self.prune(*area, *keep).await?,
            Act::ReadBack(area, which) => self.read_back(*area, which).await?,
            Act::ReadThen(area, which) => self.read_then(*area, which).await?,
        }
        match act {
            Act::Publish(area, _)
            | Act::Add(area, _)
            | Act::Remove(area, _)
            | Act::Back(area)
            | Act::BackTo(area, _)
            | Act::Prune(area, _)
            | Act::ReadBack(area, _)
            | Act::ReadThen(area, _) => Some(*area),
            Act::Promote(_, to) => Some(*to),
        }
    }

    async fn publish(&mut self, area: usize, new: &Files, onto_current: bool, removed: &[&str]) {
        let line = &mut self.lines[area];
        let mut wanted = Release::default();
        if let Some(current) = line.current().filter(|_| onto_current) {
            wanted = current.clone();
        }
        wanted.files.retain(|path, _| !hides(removed, path));
        wanted.hidden.extend(removed.iter().map(|path| (*path).to_owned()));
        wanted.files.extend(new.clone());
        wanted.hidden.retain(|path| !wanted.files.contains_key(path));
        wanted.hidden.sort();
        wanted.hidden.dedup();
        let report = self.worlds[area]
            .publish_content(new, onto_current, removed, "why")
            .await;
        let report = report.expect("published");
        wanted.id = report.release.expect("it is no dry run").to_string();
        let same = line
            .current()
            .is_some_and(|now| (&now.files, &now.hidden) == (&wanted.files, &wanted.hidden));
        assert_eq!(report.new, !same, "the same content is the same release");
        if same {
            assert!(line.is_at(&wanted.id));
        } else {
            line.onward(wanted);
        }
    }

    async fn back(&mut self, area: usize) {
        let line = &mut self.lines[area];
        let result = self.worlds[area].rollback(None).await;
        if line.trail.len() < 2 {
            return refused(result);
        }
        let before = line.trail[line.trail.len() - 2].clone();
        if line.deleted.contains(&before) {
            return refused(result);
        }
        assert_eq!(result.expect("moved").release.id.to_string(), before);
        line.back(line.named(&before));
    }

    async fn back_to(&mut self, area: usize, which: &prop::sample::Index) -> Option<()> {
        let line = &mut self.lines[area];
        let target = which.get(line.moves.get(..).filter(|moves| !moves.is_empty())?).clone();
        let pin = Pin::Release(target.id.clone());
        let result = self.worlds[area].rollback(Some(&pin)).await;
        if line.deleted.contains(&target.id) {
            refused(result);
            return Some(());
        }
        let report = result.expect("moved");
        assert_eq!(report.moved, !line.is_at(&target.id));
        if report.moved {
            line.back(target);
        }
        Some(())
    }

    async fn promote(&mut self, from: usize, to: usize) -> Option<usize> {
        let source = self.worlds[from].area.clone();
        let result = self.worlds[to].promote(&source, None).await;
        let current = self.lines[from].current().cloned();
        let Some(release) = current.filter(|_| from != to) else {
            refused(result);
            return None;
        };
        let report = result.expect("moved");
        assert_eq!(report.moved, !self.lines[to].is_at(&release.id));
        if report.moved {
            self.lines[to].onward(release);
        }
        Some(to)
    }

    async fn read_back(&self, area: usize, which: &prop::sample::Index) -> Option<()> {
        let release = which.get(self.lines[area].moves.get(..).filter(|moves| !moves.is_empty())?);
        self.read(area, &Pin::Release(release.id.clone()), release).await;
        Some(())
    }

    async fn read_then(&self, area: usize, which: &prop::sample::Index) -> Option<()> {
        let moves = &self.lines[area].moves;
        let at = which.index(Some(moves.len()).filter(|count| *count > 0)?);
        let kept = self.worlds[area].environment().moves().await.expect("moves");
        let time = kept[moves.len() - 1 - at].time;
        // Several moves may share a second: the last of them counts.
        let last = kept.iter().filter(|step| step.time <= time).count() - 1;
        self.read(area, &Pin::Time(time), &moves[last]).await;
        Some(())
    }

    async fn read(&self, area: usize, pin: &Pin, release: &Release) {
        if self.lines[area].is_read(release) {
            assert_eq!(self.worlds[area].at(pin).await, release.files);
        } else {
            refused(Reader::open(self.worlds[area].environment(), Some(pin)).await);
        }
    }

    async fn prune(&mut self, area: usize, keep: usize) -> Option<()> {
        let current = self.lines[area].current()?.clone();
        self.later += Duration::from_hours(25);
        let report = self.worlds[area]
            .prune(Keep::Newest(keep), self.later)
            .await
            .expect("pruned");
        let line = &mut self.lines[area];
        line.prune(keep);
        // Each time that it says in the marker what it lets go of, it is a move.
        line.moves
            .resize(usize::try_from(report.sequence).expect("few"), current);
        Some(())
    }

    async fn check(&self, area: usize) {
        let (world, now) = (&self.worlds[area], self.lines[area].current());
        let files = now.map(|release| release.files.clone());
        assert_eq!(world.seen().await, vec![files; 4]);
        let Some(now) = now else { return };
        let reader = Reader::open(world.environment(), None).await.expect("a release");
        let removed: Vec<String> = reader.manifest().removed.iter().map(ToString::to_string).collect();
        assert_eq!(removed, now.hidden);
        let packs = reader.marker().packs.len();
        assert!(packs <= 9, "{packs} packs");
        self.check_union().await;
    }

    /// The first area in front of the last.
    async fn check_union(&self) {
        let (Some(unions), Some(fixes), Some(below)) = (self.unions, self.lines[0].current(), self.lines[2].current())
        else {
            return;
        };
        let mut expected = below.files.clone();
        expected.retain(|path, _| !hides(&fixes.hidden, path));
        expected.extend(fixes.files.clone());
        for store in &unions.stores {
            let url = |area: usize| format!("{store}/{}", self.worlds[area].area);
            let url = SourceUrl::parse(&format!("{};{}", url(0), url(2)), None).expect("a source");
            let (_interrupter, interrupt) = interrupt::channel();
            let opening = Opening {
                aws: unions.aws.as_ref(),
                trusted: &TrustedKeys::default(),
                cache: &LocalCache::in_memory(),
                load: Load::Everything,
                reporter: &Silence,
                interrupt: &interrupt,
            };
            let source = Source::open(&url, &opening).await.expect("opened");
            let listed = source.list();
            let paths: Vec<&str> = listed.keys().map(String::as_str).collect();
            let contents = source.read_many(&paths).await.expect("contents");
            let seen: Files = listed
                .keys()
                .cloned()
                .zip(contents.into_iter().map(|content| content.expect("it is listed")))
                .collect();
            assert_eq!(seen, expected);
        }
    }

    async fn check_history(&self, area: usize) {
        let line = &self.lines[area];
        if line.moves.is_empty() {
            return;
        }
        for store in 0..3 {
            let moves = self.worlds[area].copy(store).moves().await.expect("moves");
            let ids: Vec<String> = moves.iter().rev().map(|step| step.release.to_string()).collect();
            let known: Vec<String> = line.moves.iter().map(|release| release.id.clone()).collect();
            assert_eq!(ids, known, "in store {store}");
        }
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>) {
    let error = result.expect_err("refused");
    assert!(
        matches!(*error.kind, ErrorKind::Refused(_) | ErrorKind::Usage(_)),
        "{error}"
    );
    assert!(error.hint.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_moves_is_what_a_plain_model_says(acts in prop::collection::vec(act(), 1..48)) {
        block_on(play(&World::in_memory(), &acts, None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_union_hides_and_overlays_as_a_plain_model_says(acts in prop::collection::vec(act(), 1..24)) {
        let root = TempDir::new().expect("a folder");
        let store = |number: usize| Arc::new(FileStore::new(root.path().join(number.to_string()))) as Arc<dyn Store>;
        let world = World::new([store(0), store(1), store(2)], "model");
        let stores = [0, 1, 2].map(|number| format!("file://{}/{number}", root.path().display()));
        block_on(play(&world, &acts, Some(&Unions { stores, aws: None })));
    }
}
