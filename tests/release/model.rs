//! Random publishing against a plain model.

use bytes::Bytes;
use proptest::prelude::*;
use rstack::release::{Changes, Pin, Reader};

use super::world::{Files, World};
use crate::support::block_on;

#[derive(Debug, Clone)]
pub(super) enum Act {
    /// The whole area.
    Publish(Files),
    /// Files on top of what is there.
    Add(Files),
    /// Hides a path.
    Remove(String),
    /// Reads what an earlier release had.
    ReadBack(prop::sample::Index),
}

fn path() -> impl Strategy<Value = String> {
    "(a|b|c|pkg/d|pkg/e|pkg/sub/f)\\.py".prop_map(|path| path)
}

fn some_files() -> impl Strategy<Value = Files> {
    let content = prop_oneof![
        "[x-z]{0,3}".prop_map(Bytes::from),
        (0..=u8::MAX, 1..300_usize).prop_map(|(byte, times)| Bytes::from(vec![byte; times * 1000])),
    ];
    prop::collection::btree_map(path(), content, 0..5)
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => some_files().prop_map(Act::Publish),
        4 => some_files().prop_map(Act::Add),
        1 => path().prop_map(Act::Remove),
        2 => any::<prop::sample::Index>().prop_map(Act::ReadBack),
    ]
}

pub(super) async fn play(world: &World, acts: &[Act]) {
    // What each release has, and what it hides, in order.
    let mut history: Vec<(String, Files, Vec<String>)> = Vec::new();
    for act in acts {
        let (files, hidden) = history
            .last()
            .map(|(_, files, hidden)| (files.clone(), hidden.clone()))
            .unwrap_or_default();
        let (report, files, hidden) = match act {
            Act::Publish(new) => (world.publish(new, "publish").await, new.clone(), Vec::new()),
            Act::Add(new) => {
                let mut all = files;
                all.extend(new.clone());
                let hidden = hidden.into_iter().filter(|path| !all.contains_key(path)).collect();
                (world.publish_content(new, true, &[], "add").await, all, hidden)
            }
            Act::Remove(path) => {
                let mut all = files;
                all.remove(path);
                let mut hidden = hidden;
                if !hidden.contains(path) {
                    hidden.push(path.clone());
                    hidden.sort();
                }
                let nothing = Files::new();
                (
                    world.publish_content(&nothing, true, &[path], "remove").await,
                    all,
                    hidden,
                )
            }
            Act::ReadBack(which) => {
                if !history.is_empty() {
                    let (id, files, _) = &history[which.index(history.len())];
                    assert_eq!(&world.at(&Pin::Release(id.clone())).await, files);
                }
                continue;
            }
        };
        let report = report.expect("published");
        let id = report.release.expect("it is no dry run").to_string();
        match history.last() {
            Some((last, before, was_hidden)) if *before == files && *was_hidden == hidden => {
                assert!(!report.new && *last == id, "the same content is the same release");
            }
            _ => {
                assert!(report.new);
                history.push((id, files.clone(), hidden.clone()));
            }
        }
        assert_eq!(world.seen().await, vec![Some(files); 4]);
        let reader = Reader::open(world.environment(), None).await.expect("a release");
        let removed: Vec<String> = reader.manifest().removed.iter().map(ToString::to_string).collect();
        assert_eq!(removed, hidden);
        assert!(
            reader.marker().packs.len() <= 9,
            "{} packs",
            reader.marker().packs.len()
        );
    }
    let moves = world.environment().moves().await;
    let ids: Vec<String> = moves
        .iter()
        .flatten()
        .rev()
        .map(|step| step.release.to_string())
        .collect();
    let known: Vec<String> = history.iter().map(|(id, _, _)| id.clone()).collect();
    assert_eq!(ids, known);
    for pair in history.windows(2) {
        let manifests = join(world, &pair[0].0, &pair[1].0).await;
        let changes = Changes::between(Some(&manifests.0), &manifests.1);
        let added = pair[1].1.keys().filter(|path| !pair[0].1.contains_key(*path));
        assert!(added.eq(changes.added.iter()));
    }
}

async fn join(world: &World, first: &str, second: &str) -> (rstack::release::Manifest, rstack::release::Manifest) {
    let open = async |id: &str| {
        let pin = Pin::Release(id.to_owned());
        let reader = Reader::open(world.environment(), Some(&pin)).await.expect("a release");
        reader.manifest().clone()
    };
    (open(first).await, open(second).await)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_releases_is_what_a_plain_model_says(acts in prop::collection::vec(act(), 1..16)) {
        block_on(play(&World::in_memory(), &acts));
    }
}
