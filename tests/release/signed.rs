//! Signed releases, and readers that take nothing else.

use std::sync::Arc;
use std::time::Duration;

use rstack::ErrorKind;
use rstack::release::{Keep, MoveKind, Place, Reader};
use rstack::store::{Body, Put, Swap};
use rstack::trust::{Distrust, PrivateKey, TrustedKeys, generate, read_private_key};

use super::cache::swap;
use super::world::{World, all, files, summed};
use crate::support::block_on;

fn key() -> Arc<PrivateKey> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("key.pem");
    generate(&path).expect("a key");
    Arc::new(read_private_key(&path).expect("the key"))
}

/// Signs with a key, and trusts it.
pub(super) fn signed() -> World {
    let key = key();
    World {
        trusted: TrustedKeys::from(vec![key.public()]),
        signer: Some(key),
        ..World::in_memory()
    }
}

/// Why a place is not read.
async fn refused(place: Place) -> Distrust {
    let error = Reader::open(place, None).await.expect_err("not to be trusted");
    assert_eq!(error.exit_code(), 1);
    assert!(error.hint.is_some());
    match *error.kind {
        ErrorKind::Untrusted(distrust) => distrust,
        other => panic!("{other}"),
    }
}

#[test]
fn what_a_trusted_key_signed_is_read_from_every_store_and_nothing_else_is() {
    block_on(async {
        let world = signed();
        let content = files([("a.py", "a = 1")]);
        world.publish(&content, "signed").await.expect("published");
        assert_eq!(world.seen().await, vec![Some(content.clone()); 4]);
        let stranger = key();
        let strangers = World {
            trusted: TrustedKeys::from(vec![stranger.public()]),
            ..world.clone()
        };
        let unknown = refused(strangers.environment()).await;
        assert!(matches!(unknown, Distrust::UnknownKey { .. }), "{unknown}");
        let unsigned = World {
            signer: None,
            ..world.clone()
        };
        unsigned
            .publish(&files([("a.py", "a = 2")]), "not signed")
            .await
            .expect("published");
        for place in [world.environment(), world.copy(0), world.copy(1), world.copy(2)] {
            let unsigned = refused(place).await;
            assert!(matches!(unsigned, Distrust::Unsigned { .. }), "{unsigned}");
        }
        // The release before is still what it was.
        let moves = world.environment().moves().await.expect("moves");
        let pin = moves[1].release.to_string().parse().expect("a pin");
        assert_eq!(world.at(&pin).await, content);
    });
}

/// Writes a store's copy of the marker as somebody would who may write to that store.
async fn tamper(world: &World, store: usize, change: impl Fn(&str) -> String) {
    let (store, key) = (&world.stores[store], format!("{}/.rstack/marker", world.area));
    let (bytes, version) = store.get_versioned(&key).await.expect("read").expect("a marker");
    let changed = summed(&change(std::str::from_utf8(&bytes).expect("text")));
    assert_ne!(changed, bytes, "something changed");
    let swapped = store.compare_and_set(&key, Some(&version), changed).await;
    assert!(matches!(swapped, Ok(Swap::Done(_))));
}

#[test]
fn a_marker_that_somebody_changed_is_refused() {
    block_on(async {
        let world = signed();
        world
            .publish(&files([("a.py", "a = 1")]), "one")
            .await
            .expect("published");
        world
            .publish(&files([("a.py", "a = 2")]), "two")
            .await
            .expect("published");
        let moves = world.environment().moves().await.expect("moves");
        let (new, old) = (&moves[0], &moves[1]);
        // To an older release, that is well signed for another move.
        tamper(&world, 1, |marker| {
            marker
                .replace(&new.manifest.sha256.to_string(), &old.manifest.sha256.to_string())
                .replace(new.release.as_str(), old.release.as_str())
        })
        .await;
        let wrong = refused(world.copy(1)).await;
        assert!(matches!(wrong, Distrust::WrongSignature { .. }), "{wrong}");
        // Ahead of what was signed.
        tamper(&world, 2, |marker| marker.replace("\"sequence\":2", "\"sequence\":9")).await;
        let wrong = refused(world.copy(2)).await;
        assert!(matches!(wrong, Distrust::WrongSignature { .. }), "{wrong}");
        Reader::open(world.copy(0), None).await.expect("untouched");
    });
}

#[test]
fn a_marker_of_another_area_is_refused() {
    block_on(async {
        let world = signed();
        world
            .publish(&files([("a.py", "a = 1")]), "tried")
            .await
            .expect("published");
        let value = world.stores[0]
            .get_many(&["prod/.rstack/marker".to_owned()])
            .await
            .expect("read");
        let value = value.into_iter().next().flatten().expect("a marker");
        let swapped = world.stores[0].compare_and_set("uat/.rstack/marker", None, value).await;
        assert!(matches!(swapped, Ok(Swap::Done(_))));
        let other = World {
            area: "uat".parse().expect("an area"),
            ..world.clone()
        };
        let wrong = refused(other.copy(0)).await;
        assert!(matches!(wrong, Distrust::WrongSignature { .. }), "{wrong}");
    });
}

#[test]
fn publishing_the_same_with_another_key_signs_it_anew() {
    block_on(async {
        let world = signed();
        let content = files([("a.py", "a = 1")]);
        let unsigned = World {
            signer: None,
            ..world.clone()
        };
        let first = unsigned.publish(&content, "unsigned").await.expect("published");
        let again = world.publish(&content, "sign it").await.expect("signed");
        assert_eq!((again.new, again.release, again.sequence), (false, first.release, 2));
        assert_eq!(world.seen().await, vec![Some(content.clone()); 4]);
        let kinds: Vec<_> = world
            .environment()
            .moves()
            .await
            .expect("moves")
            .iter()
            .map(|step| step.kind)
            .collect();
        assert_eq!(kinds, [MoveKind::Sign, MoveKind::Publish]);
        let third = world.publish(&content, "nothing to do").await.expect("there");
        assert_eq!((third.new, third.sequence), (false, 2));
        let reader = Reader::open(world.copy(1), None).await.expect("the copy is signed too");
        assert_eq!(all(&reader).await, content);
    });
}

#[test]
fn what_a_forged_release_says_is_looked_at_before_it_is_signed() {
    block_on(async {
        let world = signed();
        let content = files([("a.py", "a = 1"), ("b.py", "b = 2")]);
        let unsigned = World {
            signer: None,
            trusted: TrustedKeys::default(),
            ..world.clone()
        };
        unsigned.publish(&content, "unsigned").await.expect("published");
        // Each is said to be where the other is.
        swap(&world, &*world.stores[0], ["a.py", "b.py"]).await;
        let reader = Reader::open(unsigned.environment(), None).await.expect("a release");
        reader.read_many(&["a.py"]).await.expect_err("another file's content");
        let mended = world.publish(&content, "signed").await.expect("published");
        assert!(mended.new, "it is another release");
        assert_eq!(world.seen().await, vec![Some(content.clone()); 4]);
        assert!(!world.publish(&content, "nothing to do").await.expect("there").new);
    });
}

#[test]
fn a_forged_marker_that_names_other_packs_is_not_signed_as_it_is() {
    block_on(async {
        let world = signed();
        let content = files([("a.py", "a = 1"), ("b.py", "b = 2")]);
        for forged in [
            "[]",
            r#"[{"sha256":"0000000000000000000000000000000000000000000000000000000000000000","size":5,"parts":1}]"#,
        ] {
            let unsigned = World {
                signer: None,
                ..world.clone()
            };
            unsigned.publish(&files([]), "nothing").await.expect("published");
            unsigned.publish(&content, "unsigned").await.expect("published");
            tamper(&world, 0, |marker| {
                let (before, rest) = marker.split_once("\"packs\":[").expect("packs");
                let (_, after) = rest.split_once(']').expect("their end");
                format!("{before}\"packs\":{forged}{after}")
            })
            .await;
            world.publish(&content, "signed").await.expect("published");
            assert_eq!(world.seen().await, vec![Some(content.clone()); 4]);
        }
    });
}

#[test]
fn a_marker_that_no_publisher_writes_is_damaged_whoever_signed_it() {
    block_on(async {
        let world = signed();
        world
            .publish(&files([("a.py", "a = 1")]), "signed")
            .await
            .expect("published");
        let size = |marker: &str, size: &str| {
            let (before, rest) = marker.split_once("\"packs\":[").expect("packs");
            let (_, after) = rest.split_once("\"size\":").expect("a size");
            let (_, after) = after.split_once(',').expect("more");
            format!(
                "{before}\"packs\":[{{\"sha256\":\"{}\",\"size\":{size},{after}",
                "0".repeat(64)
            )
        };
        let forgeries: [&dyn Fn(&str) -> String; 5] = [
            &|marker| size(marker, "18446744073709551615"),
            &|marker| size(marker, "1000000000"),
            &|marker| marker.replace("\"parts\":1", "\"parts\":1000000000000"),
            &|marker| marker.replace("\"sequence\":1", "\"sequence\":18446744073709551615"),
            &|marker| marker.replace("\"stack\"", "\"pruned\":{\"deleted_before\":9,\"epoch\":0},\"stack\""),
        ];
        let key = format!("{}/.rstack/marker", world.area);
        let before = world.stores[1]
            .get_many(std::slice::from_ref(&key))
            .await
            .expect("read")
            .pop()
            .flatten()
            .expect("a marker");
        for forge in forgeries {
            tamper(&world, 1, forge).await;
            let error = Reader::open(world.copy(1), None).await.expect_err("no marker");
            assert!(error.to_string().contains("this marker cannot be"), "{error}");
            let put = Put {
                key: key.clone(),
                body: Body::Bytes(before.clone()),
            };
            world.stores[1]
                .put_many(&mut std::iter::once(put), &|_, _| ())
                .await
                .expect("written");
        }
        Reader::open(world.copy(1), None).await.expect("a release");
    });
}

#[test]
fn a_signature_that_does_not_fit_is_none_though_it_names_the_right_key() {
    block_on(async {
        let world = signed();
        let content = files([("a.py", "a = 1")]);
        world.publish(&content, "signed").await.expect("published");
        tamper(&world, 0, |marker| {
            let (before, value) = marker.split_once("\"value\":\"").expect("a signature");
            let other = if value.starts_with('A') { 'B' } else { 'A' };
            format!("{before}\"value\":\"{other}{}", &value[1..])
        })
        .await;
        let wrong = refused(world.environment()).await;
        assert!(matches!(wrong, Distrust::WrongSignature { .. }), "{wrong}");
        let again = world.publish(&content, "sign it").await.expect("signed");
        assert_eq!((again.new, again.sequence), (false, 2));
        assert_eq!(world.seen().await, vec![Some(content); 4]);
    });
}

#[test]
fn files_that_nobody_trusted_has_signed_are_not_signed_along_with_new_ones() {
    block_on(async {
        let world = signed();
        let forger = World {
            signer: Some(key()),
            ..world.clone()
        };
        for other in [
            World {
                signer: None,
                ..world.clone()
            },
            forger,
        ] {
            other
                .publish(&files([("evil.py", "import evil")]), "evil")
                .await
                .expect("published");
            let fix = files([("a.py", "a = 2")]);
            let refused = world
                .publish_content(&fix, true, &[], "a fix")
                .await
                .expect_err("not vouched for");
            assert_eq!(refused.exit_code(), 1);
            assert!(refused.to_string().contains("signing would vouch for"), "{refused}");
            // Emptied, by whom ever, the area takes hot fixes again.
            other.publish(&files([]), "cleared").await.expect("published");
            world
                .publish_content(&fix, true, &[], "a fix")
                .await
                .expect("published");
            assert_eq!(world.seen().await, vec![Some(fix); 4]);
        }
        // Of those who sign, each may build on what another one did who is trusted.
        let colleague = key();
        let both = TrustedKeys::from(vec![world.signer.as_ref().expect("a key").public(), colleague.public()]);
        let second = World {
            signer: Some(colleague),
            trusted: both,
            ..world.clone()
        };
        let more = files([("b.py", "b = 2")]);
        second
            .publish_content(&more, true, &[], "another fix")
            .await
            .expect("published");
    });
}

#[test]
fn pruning_does_not_sign_a_release_that_nobody_trusted_has_signed() {
    block_on(async {
        let world = signed();
        let unsigned = World {
            signer: None,
            trusted: TrustedKeys::default(),
            ..world.clone()
        };
        for number in 1..=2 {
            let content = files([("a.py", &*format!("a = {number}"))]);
            world.publish(&content, "signed").await.expect("published");
        }
        unsigned
            .publish(&files([("a.py", "a = 3")]), "forged")
            .await
            .expect("published");
        let refusal = world.prune(Keep::Newest(1), Duration::ZERO).await.expect_err("refused");
        assert_eq!(refusal.exit_code(), 1);
        assert!(refusal.to_string().contains("pruning would vouch"), "{refusal}");
        let still = refused(world.environment()).await;
        assert!(matches!(still, Distrust::Unsigned { .. }), "{still}");
        let content = files([("a.py", "a = 4")]);
        world.publish(&content, "signed").await.expect("published");
        let pruned = world.prune(Keep::Newest(1), Duration::ZERO).await.expect("pruned");
        assert_eq!(pruned.kept, 1);
        assert_eq!(world.seen().await, vec![Some(content); 4]);
    });
}

#[test]
fn contents_in_a_pack_that_the_marker_does_not_name_are_published_anew() {
    block_on(async {
        let world = signed();
        let content = files([("a.py", "a = 1"), ("b.py", "b = 2")]);
        world.publish(&content, "signed").await.expect("published");
        // No signature covers the packs.
        tamper(&world, 0, |marker| {
            let (before, rest) = marker.split_once("\"packs\":[").expect("packs");
            let (_, after) = rest.split_once(']').expect("their end");
            format!("{before}\"packs\":[]{after}")
        })
        .await;
        let reader = Reader::open(world.environment(), None).await.expect("well signed");
        reader.read_many(&["a.py"]).await.expect_err("in no pack");
        let hotfix = world
            .publish_content(&files([("c.py", "c = 3")]), true, &[], "on top of it")
            .await
            .expect_err("what stays cannot be read");
        assert!(hotfix.to_string().contains("does not name"), "{hotfix}");
        let mended = world.publish(&content, "the same").await.expect("published");
        assert!(mended.new, "it is another release");
        assert_eq!(world.seen().await, vec![Some(content); 4]);
    });
}

#[test]
fn an_area_whose_number_somebody_forged_ends_there_and_nothing_is_written_that_nobody_can_read() {
    block_on(async {
        let world = World::in_memory();
        let content = files([("a.py", "a = 1")]);
        world.publish(&content, "why").await.expect("published");
        tamper(&world, 0, |marker| {
            marker.replace("\"sequence\":1", "\"sequence\":16777216")
        })
        .await;
        let refusal = world
            .publish(&files([("a.py", "a = 2")]), "more")
            .await
            .expect_err("refused");
        assert!(refusal.to_string().contains("out of bounds"), "{refusal}");
        let reader = Reader::open(world.copy(0), None).await.expect("as it was");
        assert_eq!(all(&reader).await, content);
    });
}
