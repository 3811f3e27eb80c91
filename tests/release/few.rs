//! Few files out of large packs.

use std::sync::Arc;

use bytes::Bytes;
use rstack::release::{CacheOptions, LocalCache, Place, Reader};
use rstack::store::{Body, Put, Store};
use tempfile::TempDir;

use super::counting::{Counting, taken};
use super::world::{Files, Silence, World, all};
use crate::support::block_on;

/// 64 files of 64 KiB that do not compress, all in one pack.
pub(super) fn large() -> Files {
    let content = |number: u64| {
        let mut state = number + 0x2545_f491_4f6c_dd1d;
        let bytes = (0..65_536).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        });
        bytes.collect::<Bytes>()
    };
    (0..64)
        .map(|number| (format!("{number:02}.bin"), content(number)))
        .collect()
}

async fn published() -> World {
    let world = World::in_memory();
    world.publish(&large(), "why").await.expect("published");
    world
}

#[test]
fn a_file_of_a_large_pack_is_fetched_by_itself_and_kept_by_itself() {
    let folder = TempDir::new().expect("a folder");
    let files = large();
    block_on(async {
        let world = published().await;
        let (store, reads, bytes) = Counting::with_bytes(world.stores[1].clone());
        let open = async || {
            let place = Place {
                local: LocalCache::open(&CacheOptions::in_folder(folder.path()), &Silence),
                ..Place::of(store.clone(), world.area.clone())
            };
            let reader = Reader::open(place, None).await.expect("a release");
            taken(&reads);
            taken(&bytes);
            reader
        };
        let reader = open().await;
        let found = reader.read_many(&["07.bin", "none", "40.bin"]).await.expect("contents");
        assert_eq!(
            (found[0].as_ref(), found[1].as_ref(), found[2].as_ref()),
            (files.get("07.bin"), None, files.get("40.bin"))
        );
        assert_eq!(taken(&reads), 1);
        assert!((131_072..140_000).contains(&taken(&bytes)), "two files");
        // Another process finds them here.
        let reader = open().await;
        let again = reader.read_many(&["07.bin", "40.bin"]).await.expect("contents");
        assert_eq!(again, [files.get("07.bin").cloned(), files.get("40.bin").cloned()]);
        assert_eq!(taken(&reads), 0);
        // Much of a pack is fetched as a whole.
        assert_eq!(all(&reader).await, files);
        assert_eq!(taken(&reads), 1);
        assert!(taken(&bytes) > 4_000_000);
    });
}

#[test]
fn whoever_comes_again_and_again_gets_the_whole_pack() {
    let files = large();
    block_on(async {
        let world = published().await;
        let (store, reads, bytes) = Counting::with_bytes(world.stores[1].clone());
        let reader = Reader::open(Place::of(store, world.area.clone()), None)
            .await
            .expect("a release");
        taken(&reads);
        taken(&bytes);
        for (path, content) in &files {
            assert_eq!(
                reader.read_many(&[path]).await.expect("contents"),
                [Some(content.clone())]
            );
        }
        let (reads, bytes) = (taken(&reads), taken(&bytes));
        let packs = &reader.marker().packs;
        let large = packs.iter().filter(|pack| pack.size >= 1 << 20).count();
        // Of a large one four by themselves, then all; a small one at once.
        assert_eq!(reads, (large * 5 + packs.len() - large) as u64, "{packs:?}");
        assert!(large > 0);
        assert!(bytes < 4_600_000, "{bytes}");
    });
}

#[test]
fn a_damaged_stretch_is_no_content() {
    let files = large();
    block_on(async {
        let world = published().await;
        let reader = Reader::open(world.environment(), None).await.expect("a release");
        let path = "07.bin";
        let pack = reader.manifest().files[path].pack;
        let key = format!("prod/.rstack/pack/{pack}");
        let damage = async |store: &Arc<dyn Store>| {
            let whole = store
                .get_many(std::slice::from_ref(&key))
                .await
                .expect("read")
                .remove(0);
            let mut flipped = whole.expect("a pack").to_vec();
            flipped.iter_mut().step_by(1000).for_each(|byte| *byte ^= 1);
            let put = Put {
                key: key.clone(),
                body: Body::Bytes(flipped.into()),
            };
            store
                .put_many(&mut std::iter::once(put), &|_, _| ())
                .await
                .expect("damaged");
        };
        // In the cache it is passed over; everywhere it is an error that names the pack.
        damage(&world.stores[2]).await;
        let found = reader.read_many(&[path]).await.expect("contents");
        assert_eq!(found, [files.get(path).cloned()]);
        for store in &world.stores[..2] {
            damage(store).await;
        }
        let reader = Reader::open(world.copy(0), None).await.expect("a release");
        let error = reader.read_many(&[path]).await.expect_err("damaged").to_string();
        assert!(error.contains(&key) && error.contains("hash"), "{error}");
    });
}
