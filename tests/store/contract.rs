//! What every store must do. Keys lie under an area of the test's own, since one Redis serves all tests.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use futures_util::{TryStreamExt, future};
use rstack::store::{Body, FileBody, FileDigest, Put, Store, StoreErrorKind, Stretch, Swap};

pub(super) async fn values_come_back_byte_for_byte(store: &dyn Store, area: &str) {
    let values = [
        ("empty", Bytes::new()),
        (
            "text",
            Bytes::from_static("def f():\n    return 'é🦀'\r\n\t".as_bytes()),
        ),
        ("binary", Bytes::from((0..=255).collect::<Vec<u8>>())),
        ("zeros", Bytes::from(vec![0; 5])),
    ];
    let puts = values
        .iter()
        .map(|(name, value)| (format!("{area}/{name}"), value.clone()));
    put(store, puts).await;
    let keys: Vec<String> = values.iter().map(|(name, _)| format!("{area}/{name}")).collect();
    let found = store.get_many(&keys).await.expect("values");
    for ((name, value), found) in values.iter().zip(found) {
        assert_eq!(found.as_ref(), Some(value), "{name}");
    }
}

pub(super) async fn absent_is_a_miss_and_not_an_error(store: &dyn Store, area: &str) {
    store.ping().await.expect("an answer");
    let keys = [format!("{area}/nothing"), format!("{area}/no/thing")];
    assert_eq!(store.get_many(&keys).await.expect("an answer"), [None, None]);
    assert_eq!(store.get_versioned(&keys[0]).await.expect("an answer"), None);
    store.delete_many(&keys).await.expect("removed");
    assert_eq!(store.get_many(&[]).await.expect("an answer"), [] as [Option<Bytes>; 0]);
}

pub(super) async fn overwriting_and_deleting(store: &dyn Store, area: &str) {
    let key = format!("{area}/a");
    for value in ["first", "second, longer", ""] {
        put(store, [(key.clone(), value.into())]).await;
        assert_eq!(get(store, &key).await.as_deref(), Some(value.as_bytes()));
    }
    // The same key twice in one call: the last counts.
    put(store, [(key.clone(), "one".into()), (key.clone(), "two".into())]).await;
    assert_eq!(get(store, &key).await.as_deref(), Some(&b"two"[..]));
    store.delete_many(&[key.clone(), key.clone()]).await.expect("removed");
    assert_eq!(get(store, &key).await, None);
}

pub(super) async fn copying_inside_the_store(store: &dyn Store, area: &str) {
    let values = [
        ("empty", Bytes::new()),
        ("with space+%é", Bytes::from_static(b"text")),
        ("large", noise(1 << 20)),
    ];
    let (from, to) = (
        |name: &str| format!("{area}/{name}"),
        |name: &str| format!("{area}/copy/{name}"),
    );
    put(store, values.iter().map(|(name, value)| (from(name), value.clone()))).await;
    put(store, [(to("large"), "something else".into())]).await;
    let names = values.iter().map(|(name, _)| *name).chain(["nothing"]);
    let pairs: Vec<(String, String)> = names.map(|name| (from(name), to(name))).collect();
    let found = store.copy_many(&pairs).await.expect("copied");
    assert_eq!(found, [true, true, true, false]);
    // What is copied is a value of its own.
    put(store, [(from("large"), "changed".into())]).await;
    for (name, value) in &values {
        assert_eq!(get(store, &to(name)).await.as_ref(), Some(value), "{name}");
        let digest = FileDigest::of(value);
        assert!(store.holds(&to(name), &digest).await.expect("an answer"), "{name}");
    }
    assert_eq!(get(store, &to("nothing")).await, None);
    assert_eq!(store.copy_many(&[]).await.expect("nothing to do"), [] as [bool; 0]);
}

pub(super) async fn stretches_of_values(store: &dyn Store, area: &str) {
    let large: Bytes = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let (small, large_key) = (format!("{area}/small"), format!("{area}/large"));
    put(
        store,
        [(small.clone(), "0123456789".into()), (large_key.clone(), large.clone())],
    )
    .await;
    let stretch = |key: &str, start: u64, length: u64| Stretch {
        key: key.to_owned(),
        start,
        length,
    };
    let wanted = [
        stretch(&small, 0, 10),
        stretch(&small, 3, 1),
        stretch(&large_key, 3_999_998, 2),
        stretch(&large_key, 400_000, 500_000),
        stretch(&small, 9, 2),
        stretch(&small, 10, 1),
        stretch(&small, 1_000_000, 5),
        stretch(&format!("{area}/nothing"), 0, 1),
    ];
    let there = [&small, &format!("{area}/nothing"), &large_key].map(Clone::clone);
    assert_eq!(store.are_there(&there).await.expect("an answer"), [true, false, true]);
    let found = store.get_ranges(&wanted).await.expect("an answer");
    let expected = [
        Some(Bytes::from("0123456789")),
        Some(Bytes::from("3")),
        Some(large.slice(3_999_998..)),
        Some(large.slice(400_000..900_000)),
        None,
        None,
        None,
        None,
    ];
    assert!(
        found == expected,
        "{:?}",
        found
            .iter()
            .map(|found| found.as_ref().map(Bytes::len))
            .collect::<Vec<_>>()
    );
    assert_eq!(
        store.get_ranges(&[]).await.expect("an answer"),
        [] as [Option<Bytes>; 0]
    );
}

pub(super) async fn odd_keys_are_kept_apart(store: &dyn Store, area: &str) {
    let names = [
        "a",
        "a/b",
        "a/b/c",
        "with space",
        "plus+plus",
        "per%cent",
        "per%25cent",
        "quo\"te'",
        "new\nline",
        "tab\t",
        "é",
        "e\u{301}",
        "日本/語.py",
        "🦀",
        "dots/../up",
        "dots/./here",
        "...",
        "trailing.",
        "trailing ",
        "back\\slash",
        "semi;colon",
        "que?ry=1&x",
        "ha#sh",
        "[glob]*",
        "double//slash",
        "UPPER",
        "upper",
        "~",
        "{}",
        "\u{1}control",
    ];
    let keys: Vec<String> = names.iter().map(|name| format!("{area}/{name}")).collect();
    put(
        store,
        keys.iter()
            .map(|key| (key.clone(), Bytes::from(format!("value of {key}")))),
    )
    .await;
    for (key, value) in keys.iter().zip(store.get_many(&keys).await.expect("values")) {
        assert_eq!(value, Some(Bytes::from(format!("value of {key}"))), "{key:?}");
    }
    let mut sorted = keys.clone();
    sorted.sort();
    assert_eq!(list(store, &format!("{area}/")).await, sorted);
    for key in &keys {
        let digest = FileDigest::of(format!("value of {key}").as_bytes());
        assert!(store.holds(key, &digest).await.expect("an answer"), "{key:?}");
    }
    store.delete_many(&keys).await.expect("removed");
    assert_eq!(list(store, &format!("{area}/")).await, [] as [String; 0]);
}

pub(super) async fn large_values(store: &dyn Store, area: &str) {
    let key = format!("{area}/large");
    for size in [400 * 1024, 1 << 20, 5 << 20, 100, 5 << 20] {
        let value = noise(size);
        put(store, [(key.clone(), value.clone())]).await;
        assert!(
            get(store, &key).await == Some(value),
            "{size} bytes came back different"
        );
        assert_eq!(list(store, &format!("{area}/")).await, std::slice::from_ref(&key));
    }
    store.delete_many(std::slice::from_ref(&key)).await.expect("removed");
    assert_eq!(get(store, &key).await, None);
}

pub(super) async fn batches_over_every_limit(store: &dyn Store, area: &str) {
    let confirmed = Mutex::new(BTreeMap::new());
    let keys: Vec<String> = (0..1234).map(|i| format!("{area}/{i:04}")).collect();
    let mut puts = keys.iter().map(|key| Put {
        key: key.clone(),
        body: Body::Bytes(key.clone().into()),
    });
    let done = |key: &str, size| {
        confirmed.lock().expect("unpoisoned").insert(key.to_owned(), size);
    };
    store.put_many(&mut puts, &done).await.expect("stored");
    let told: Vec<(String, u64)> = confirmed.into_inner().expect("unpoisoned").into_iter().collect();
    let all: Vec<(String, u64)> = keys.iter().map(|key| (key.clone(), key.len() as u64)).collect();
    assert_eq!(told, all);
    let found = store.get_many(&keys).await.expect("values");
    assert!(
        keys.iter()
            .zip(&found)
            .all(|(key, value)| value.as_deref() == Some(key.as_bytes()))
    );
    assert_eq!(list(store, &format!("{area}/")).await, keys);
    store.delete_many(&keys).await.expect("removed");
    assert_eq!(list(store, &format!("{area}/")).await, [] as [String; 0]);
}

pub(super) async fn listing_by_prefix(store: &dyn Store, area: &str) {
    let keys: Vec<String> = ["x", "x*", "x/1", "x/2", "xy"]
        .iter()
        .map(|name| format!("{area}/{name}"))
        .collect();
    put(store, keys.iter().map(|key| (key.clone(), Bytes::from_static(b"1")))).await;
    assert_eq!(list(store, &format!("{area}/x/")).await, keys[2..4]);
    assert_eq!(list(store, &format!("{area}/x*")).await, keys[1..2]);
    assert_eq!(list(store, &format!("{area}/z")).await, [] as [String; 0]);
    if store.lists_sizes() {
        let pages: Vec<_> = store.list(&format!("{area}/x/")).try_collect().await.expect("pages");
        assert!(pages.concat().iter().all(|found| found.size == Some(1)));
    }
}

pub(super) async fn comparing_and_setting(store: &dyn Store, area: &str) {
    let key = format!("{area}/marker");
    let first = done(store.compare_and_set(&key, None, "1".into()).await.expect("an answer"));
    assert_eq!(
        store.compare_and_set(&key, None, "x".into()).await.expect("an answer"),
        Swap::Conflict
    );
    let (value, version) = store.get_versioned(&key).await.expect("an answer").expect("a value");
    assert_eq!((value, &version), ("1".into(), &first));
    let second = done(
        store
            .compare_and_set(&key, Some(&version), "2".into())
            .await
            .expect("an answer"),
    );
    assert_eq!(
        store
            .compare_and_set(&key, Some(&version), "3".into())
            .await
            .expect("an answer"),
        Swap::Conflict
    );
    // What is there already counts as an answer that was lost.
    assert_eq!(
        store
            .compare_and_set(&key, Some(&second), "2".into())
            .await
            .expect("an answer"),
        Swap::Done(second.clone())
    );
    assert_eq!(get(store, &key).await.as_deref(), Some(&b"2"[..]));
    store.delete_many(std::slice::from_ref(&key)).await.expect("removed");
    assert_eq!(
        store
            .compare_and_set(&key, Some(&second), "4".into())
            .await
            .expect("an answer"),
        Swap::Conflict
    );
    assert_eq!(get(store, &key).await, None);
    // A value that was put the ordinary way has a version too.
    put(store, [(key.clone(), Bytes::from_static(&[0xff, 0]))]).await;
    let (_, version) = store.get_versioned(&key).await.expect("an answer").expect("a value");
    done(
        store
            .compare_and_set(&key, Some(&version), Bytes::new())
            .await
            .expect("an answer"),
    );
    let (_, version) = store.get_versioned(&key).await.expect("an answer").expect("a value");
    done(
        store
            .compare_and_set(&key, Some(&version), "5".into())
            .await
            .expect("an answer"),
    );
}

pub(super) async fn large_values_compare_and_set(store: &dyn Store, area: &str) {
    let key = format!("{area}/ledger");
    let mut version = None;
    for size in [10, 1 << 20, 900_000, 20, 500_000] {
        let value = noise(size);
        let swap = store
            .compare_and_set(&key, version.as_ref(), value.clone())
            .await
            .expect("an answer");
        let swapped = done(swap);
        let (found, read) = store.get_versioned(&key).await.expect("an answer").expect("a value");
        assert!(found == value && read == swapped, "{size} bytes");
        let stale = store
            .compare_and_set(&key, version.as_ref(), noise(600_000))
            .await
            .expect("an answer");
        assert_eq!(stale, Swap::Conflict, "{size} bytes");
        version = Some(read);
    }
}

pub(super) async fn one_of_many_writers_wins(store: &dyn Store, area: &str) {
    let key = format!("{area}/race");
    let mut version = None;
    for round in 0..3 {
        let writers = (0..8).map(|writer| {
            let (key, version) = (&key, version.as_ref());
            async move {
                let value = Bytes::from(format!("round {round} writer {writer}"));
                let swap = store
                    .compare_and_set(key, version, value.clone())
                    .await
                    .expect("an answer");
                (value, swap)
            }
        });
        let winners: Vec<_> = future::join_all(writers)
            .await
            .into_iter()
            .filter(|(_, swap)| *swap != Swap::Conflict)
            .collect();
        let [(value, swap)] = &winners[..] else {
            panic!("{} writers won", winners.len())
        };
        assert_eq!(get(store, &key).await.as_ref(), Some(value));
        version = Some(done(swap.clone()));
    }
}

pub(super) async fn a_changed_file_is_not_stored(store: &dyn Store, area: &str) {
    let folder = tempfile::TempDir::new().expect("a folder");
    // Small enough to be read at once, and large enough to be streamed.
    for (size, changed) in [(10, vec![1; 10]), (5 << 20, vec![1; 5 << 20]), (5 << 20, vec![1; 7])] {
        let path = folder.path().join("file");
        let key = format!("{area}/file");
        let digest = FileDigest::of(&noise(size));
        let body = || {
            Body::File(FileBody {
                path: path.clone(),
                digest,
            })
        };
        std::fs::write(&path, noise(size)).expect("written");
        let stored = store
            .put_many(
                &mut [Put {
                    key: key.clone(),
                    body: body(),
                }]
                .into_iter(),
                &|_, _| (),
            )
            .await;
        stored.expect("stored");
        assert!(get(store, &key).await == Some(noise(size)));
        assert!(store.holds(&key, &digest).await.expect("an answer"));
        let other = FileDigest::of(&vec![2; size]);
        assert!(!store.holds(&key, &other).await.expect("an answer"));

        std::fs::write(&path, changed).expect("written");
        let stored = store
            .put_many(
                &mut [Put {
                    key: key.clone(),
                    body: body(),
                }]
                .into_iter(),
                &|_, _| (),
            )
            .await;
        let error = stored.expect_err("a changed file");
        assert_eq!(
            (error.kind, error.key.as_ref()),
            (StoreErrorKind::Changed, Some(&key)),
            "{error}"
        );
        assert!(get(store, &key).await == Some(noise(size)), "the old value stays");

        std::fs::remove_file(&path).expect("removed");
        let stored = store
            .put_many(
                &mut [Put {
                    key: key.clone(),
                    body: body(),
                }]
                .into_iter(),
                &|_, _| (),
            )
            .await;
        assert_eq!(stored.expect_err("no file").kind, StoreErrorKind::Changed);
    }
}

pub(super) async fn an_iterator_that_ends_ends_the_writing(store: &dyn Store, area: &str) {
    let confirmed = Mutex::new(Vec::new());
    let done = |key: &str, _| confirmed.lock().expect("unpoisoned").push(key.to_owned());
    let mut puts = (0..).take(150).map(|i| Put {
        key: format!("{area}/{i:03}"),
        body: Body::Bytes(noise(i)),
    });
    store.put_many(&mut puts, &done).await.expect("stored");
    let mut confirmed = confirmed.into_inner().expect("unpoisoned");
    confirmed.sort();
    assert_eq!(confirmed, list(store, &format!("{area}/")).await);
}

pub(super) async fn holding_a_value(store: &dyn Store, area: &str) {
    let key = format!("{area}/value");
    let value = noise(6 << 20);
    let digest = FileDigest::of(&value);
    assert!(!store.holds(&key, &digest).await.expect("an answer"));
    put(store, [(key.clone(), value)]).await;
    assert!(store.holds(&key, &digest).await.expect("an answer"));
    let mut other = noise(6 << 20).to_vec();
    other[1000] ^= 1;
    assert!(!store.holds(&key, &FileDigest::of(&other)).await.expect("an answer"));
}

async fn put(store: &dyn Store, entries: impl IntoIterator<Item = (String, Bytes), IntoIter: Send>) {
    let mut puts = entries.into_iter().map(|(key, value)| Put {
        key,
        body: Body::Bytes(value),
    });
    store.put_many(&mut puts, &|_, _| ()).await.expect("stored");
}

async fn get(store: &dyn Store, key: &str) -> Option<Bytes> {
    store.get_many(&[key.to_owned()]).await.expect("a value").remove(0)
}

async fn list(store: &dyn Store, prefix: &str) -> Vec<String> {
    let pages: Vec<_> = store.list(prefix).try_collect().await.expect("pages");
    let mut keys: Vec<String> = pages.concat().into_iter().map(|found| found.key).collect();
    keys.sort();
    keys
}

fn done(swap: Swap) -> rstack::store::Version {
    match swap {
        Swap::Done(version) => version,
        Swap::Conflict => panic!("another value is there"),
    }
}

/// Bytes that do not repeat.
fn noise(size: usize) -> Bytes {
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ size as u64;
    let bytes = (0..size).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    });
    bytes.collect::<Vec<u8>>().into()
}
