//! What Python imports lies apart from much that it does not, so that who imports does not fetch the rest.

use std::collections::BTreeSet;

use rstack::release::{Load, Place, Reader};

use super::counting::{Counting, taken};
use super::few::large;
use super::pruning::is_right;
use super::world::{Files, World, all, files};
use crate::support::block_on;

/// Scripts and bytecode, and 3 MiB that nobody imports, beside a text with the content of a script.
fn mixed() -> Files {
    let mut mixed: Files = large().into_iter().take(48).collect();
    mixed.extend(files([
        ("00.txt", "a = 1"),
        ("a.py", "a = 1"),
        ("pkg/__init__.py", "b = 2"),
        ("pkg/__pycache__/__init__.cpython-311.pyc", "bytecode"),
    ]));
    mixed
}

/// For each pack of the current release whether its marker says that it has code, and the endings of its files.
async fn packs(world: &World) -> Vec<(bool, BTreeSet<String>)> {
    let reader = Reader::open(world.environment(), None).await.expect("a release");
    let endings = |pack| {
        let inside = reader
            .manifest()
            .files
            .iter()
            .filter(move |(_, file)| file.pack == pack);
        let ending = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
        inside.map(|(path, _)| ending(path)).collect()
    };
    let packs = reader.marker().packs.iter();
    packs.map(|pack| (pack.code, endings(pack.sha256))).collect()
}

fn endings<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn who_imports_fetches_code_alone_and_the_rest_when_it_is_read() {
    block_on(async {
        let world = World::in_memory();
        world.publish(&mixed(), "why").await.expect("published");
        let found = packs(&world).await;
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.contains(&(true, endings(["py", "pyc", "txt"]))), "{found:?}");
        assert!(found.contains(&(false, endings(["bin"]))), "{found:?}");

        let (store, reads, bytes) = Counting::with_bytes(world.stores[1].clone());
        let place = || Place::of(store.clone(), world.area.clone());
        let reader = Reader::load(place(), None, Load::Code).await.expect("a release");
        assert_eq!(taken(&reads), 2);
        assert!(taken(&bytes) < 100_000);
        assert_eq!(reader.at_hand("a.py").as_deref(), Some(&b"a = 1"[..]));
        assert_eq!(reader.at_hand("07.bin"), None);
        assert_eq!(all(&reader).await, mixed());
        assert_eq!(taken(&reads), 1);
        assert!(taken(&bytes) > 3_000_000);

        let reader = Reader::load(place(), None, Load::Everything).await.expect("a release");
        assert_eq!(
            (taken(&reads), all(&reader).await == mixed(), taken(&reads)),
            (2, true, 0)
        );
    });
}

#[test]
fn little_shares_a_pack_with_the_code() {
    block_on(async {
        let world = World::in_memory();
        let few = files([("a.py", "a = 1"), ("index.html", "<p>"), ("notes.txt", "n")]);
        world.publish(&few, "why").await.expect("published");
        assert_eq!(packs(&world).await, [(true, endings(["html", "py", "txt"]))]);
    });
}

#[test]
fn a_pack_has_code_as_long_as_a_release_imports_from_it() {
    block_on(async {
        let world = World::in_memory();
        world.publish(&mixed(), "why").await.expect("published");
        // The same content under a name that Python imports: nothing is packed anew.
        let mut more = mixed();
        more.insert("copy.py".to_owned(), more["07.bin"].clone());
        let published = world.publish(&more, "more").await.expect("published");
        assert_eq!(published.packs, 0);
        assert!(packs(&world).await.iter().all(|(code, _)| *code));
        world.publish(&mixed(), "as before").await.expect("published");
        assert_eq!(packs(&world).await.iter().filter(|(code, _)| *code).count(), 1);
        is_right(&world).await;
    });
}

#[test]
fn merged_packs_are_apart_too() {
    block_on(async {
        let world = World::in_memory();
        let large: Vec<_> = large().into_iter().collect();
        for (number, more) in large.chunks(4).take(9).enumerate() {
            let mut own: Files = more.iter().cloned().collect();
            own.extend(files([(
                format!("{number}.py").as_str(),
                format!("n = {number}").as_str(),
            )]));
            world
                .publish_content(&own, true, &[], "one more")
                .await
                .expect("published");
        }
        let mut found = packs(&world).await;
        found.sort();
        assert_eq!(found, [(false, endings(["bin"])), (true, endings(["py"]))]);
        is_right(&world).await;
    });
}
