//! A cache that lost something: read past, filled again, and told.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use rstack::event::Event;
use rstack::release::{Load, Reader, last_repairs};
use rstack::store::{Body, Put, RedisStore};

use super::corrupt::flip;
use super::world::{World, all, files};
use crate::support::block_on;

#[test]
fn what_is_damaged_where_nobody_looks_is_never_put_into_a_cache() {
    let content = files([("a.py", "a = 1"), ("b.py", "b = 1")]);
    block_on(async {
        let world = World::in_memory();
        world.publish(&content, "why").await.expect("published");
        let [deciding, durable, cache] = [0, 1, 2].map(|store| &*world.stores[store]);
        let pages: Vec<_> = cache.list("prod/.rstack/pack/").try_collect().await.expect("pages");
        let pack: Vec<String> = pages.concat().into_iter().map(|listed| listed.key).collect();
        flip(deciding, "prod/.rstack/pack/").await;
        cache.delete_many(&pack).await.expect("lost");
        let reader = Reader::load(world.environment(), None, Load::Everything)
            .await
            .expect("a release");
        // The flipped byte is in the other file.
        assert_eq!(
            reader.read_many(&["a.py"]).await.expect("a file"),
            [Some("a = 1".into())]
        );
        let right = durable.get_many(&pack).await.expect("a pack");
        assert_eq!(cache.get_many(&pack).await.expect("a pack"), right);
    });
}

#[test]
fn what_a_cache_lacks_or_holds_damaged_is_put_back_and_noted() {
    let content = files([("a.py", "a = 1"), ("b.py", "b = 1")]);
    block_on(async {
        let world = World::in_memory();
        world.publish(&content, "why").await.expect("published");
        let cache = &*world.stores[2];
        let area = [world.area.clone()];
        assert_eq!(last_repairs(cache, &area).await.expect("read"), [None]);
        let listed: Vec<_> = cache
            .list("prod/.rstack/")
            .try_collect::<Vec<_>>()
            .await
            .expect("pages")
            .concat();
        let key = |part: &str| {
            let found = listed
                .iter()
                .find(|listed| listed.key.starts_with(&format!("prod/.rstack/{part}/")));
            found.expect("it is there").key.clone()
        };
        cache.delete_many(&[key("release")]).await.expect("lost");
        let put = Put {
            key: key("pack"),
            body: Body::Bytes(Bytes::from_static(b"something else")),
        };
        cache
            .put_many(&mut std::iter::once(put), &|_, _| ())
            .await
            .expect("damaged");
        let reader = Reader::load(world.environment(), None, Load::Everything)
            .await
            .expect("a release");
        assert_eq!(all(&reader).await, content);
        let repair = last_repairs(cache, &area)
            .await
            .expect("read")
            .remove(0)
            .expect("a repair");
        assert_eq!((repair.lacking, repair.damaged), (1, 1));
        assert_eq!(repair.release, reader.marker().release);
        assert_eq!(world.seen().await[2], Some(content.clone()));
        assert!(
            reader.place().findings.take_warnings().is_empty(),
            "a gap is no reason to warn"
        );
    });
}

#[test]
fn a_cache_that_does_not_answer_is_passed_over_and_told_once() {
    let content = files([("a.py", "a = 1")]);
    block_on(async {
        let world = World::in_memory();
        world.publish(&content, "why").await.expect("published");
        let gone = RedisStore::new("redis://127.0.0.1:1".parse().expect("an address"));
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("redis://{}", silent.local_addr().expect("an address"));
        let silent_redis = RedisStore::new(address.parse().expect("an address"));
        for (redis, why) in [(gone, "cannot be reached"), (silent_redis, "does not answer in time")] {
            let mut place = world.environment();
            place.cache = Some(Arc::new(redis));
            let reader = Reader::open(place, None).await.expect("a release");
            assert_eq!(all(&reader).await, content);
            reader.advance().await.expect("an answer");
            let warnings = reader.place().findings.take_warnings();
            let [Event::Warning { message, hint }] = warnings.as_slice() else {
                panic!("{warnings:?}")
            };
            assert!(message.contains("is passed over") && message.contains(why), "{message}");
            assert!(hint.is_some());
            assert!(reader.place().findings.take_warnings().is_empty());
        }
    });
}
