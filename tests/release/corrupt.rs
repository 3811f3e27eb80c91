//! Bytes that are not what they were.

use bytes::Bytes;
use futures_util::TryStreamExt;
use rstack::release::Reader;
use rstack::store::{Body, Put, Store};

use super::world::{World, all, files};
use crate::support::block_on;

/// Flips a byte in the middle of the only value below a key.
pub(super) async fn flip(store: &dyn Store, prefix: &str) {
    let pages: Vec<_> = store.list(prefix).try_collect().await.expect("pages");
    let keys: Vec<String> = pages.concat().into_iter().map(|listed| listed.key).collect();
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    let found = store
        .get_many(&keys)
        .await
        .expect("a value")
        .remove(0)
        .expect("a value");
    let mut value = found.to_vec();
    let middle = value.len() / 2;
    value[middle] ^= 1;
    let put = Put {
        key: key.clone(),
        body: Body::Bytes(Bytes::from(value)),
    };
    store
        .put_many(&mut std::iter::once(put), &|_, _| ())
        .await
        .expect("written");
}

#[test]
fn a_flipped_byte_in_a_pack_or_a_manifest_is_caught_named_and_mended_by_the_next_seed() {
    block_on(async {
        for (part, store) in ["pack", "release"]
            .into_iter()
            .flat_map(|part| [(part, 0), (part, 1), (part, 2)])
        {
            is_caught(&World::in_memory(), &format!("{part}/"), store).await;
        }
    });
}

#[test]
fn a_flipped_byte_in_a_copy_of_the_marker_is_caught_named_and_mended_by_the_next_seed() {
    block_on(async {
        for store in [1, 2] {
            is_caught(&World::in_memory(), "marker", store).await;
        }
    });
}

/// Flips a byte of a record in one store of a world that has nothing yet.
pub(super) async fn is_caught(world: &World, record: &str, store: usize) {
    let content = files([("a.py", "a = 1"), ("b.py", "b = 2")]);
    world.publish(&content, "why").await.expect("published");
    let key = format!("{}/.rstack/{record}", world.area);
    flip(&*world.stores[store], &key).await;
    let read = async {
        let reader = Reader::open(world.copy(store), None).await?;
        reader.read_many(&["a.py"]).await
    };
    let error = read.await.expect_err("a flipped byte").to_string();
    let named = error.contains(&key) && (error.contains("hash") || error.contains("checksum"));
    assert!(named, "{error}");
    // The environment has it from elsewhere, and the same content mends it; the deciding store is for `verify` to mend.
    let reader = Reader::open(world.environment(), None).await.expect("a release");
    assert_eq!(all(&reader).await, content);
    if store == 0 {
        return;
    }
    world.publish(&content, "again").await.expect("done");
    assert_eq!(world.seen().await, vec![Some(content.clone()); 4]);
}

#[test]
fn a_flipped_byte_in_the_deciding_marker_stops_readers_and_publishers() {
    let content = files([("a.py", "a = 1")]);
    block_on(async {
        let world = World::in_memory();
        world.publish(&content, "why").await.expect("published");
        flip(&*world.stores[0], "prod/.rstack/marker").await;
        let read = Reader::open(world.environment(), None)
            .await
            .expect_err("a flipped byte");
        let publish = world.publish(&content, "again").await.expect_err("a flipped byte");
        for error in [read, publish] {
            assert!(error.to_string().contains("prod/.rstack/marker"), "{error}");
        }
    });
}

#[test]
fn a_copy_of_a_marker_that_cannot_be_read_is_an_error_and_is_replaced_by_the_next_seed() {
    let content = files([("a.py", "a = 1")]);
    block_on(async {
        let world = World::in_memory();
        world.publish(&content, "why").await.expect("published");
        let put = Put {
            key: "prod/.rstack/marker".to_owned(),
            body: Body::Bytes(Bytes::from_static(b"{")),
        };
        let broken = &world.stores[1];
        broken
            .put_many(&mut std::iter::once(put), &|_, _| ())
            .await
            .expect("written");
        let error = Reader::open(world.copy(1), None).await.expect_err("no marker");
        assert!(error.to_string().contains("marker"), "{error}");
        world.publish(&content, "again").await.expect("done");
        assert_eq!(world.seen().await, vec![Some(content.clone()); 4]);
    });
}
