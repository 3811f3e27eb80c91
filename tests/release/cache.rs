//! The local cache: how many requests it saves, and that nothing wrong comes out of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rstack::event::{Event, Reporter};
use rstack::release::{CacheOptions, ContentHash, Load, LocalCache, Pin, Place, Reader, report_cache};
use rstack::store::{Body, Put, Store};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;
use tempfile::TempDir;

use super::counting::{Counting, taken};
use super::world::{Files, World, all, files};
use crate::support::block_on;

/// Keeps the warnings.
#[derive(Default)]
struct Ears(Mutex<Vec<String>>);

impl Reporter for Ears {
    fn report(&self, event: &Event) {
        if let Event::Warning { message, .. } = event {
            self.0.lock().expect("unpoisoned").push(message.clone());
        }
    }
}

fn open(options: &CacheOptions) -> (Arc<LocalCache>, Vec<String>) {
    let ears = Ears::default();
    let cache = LocalCache::open(options, &ears);
    (cache, ears.0.into_inner().expect("unpoisoned"))
}

/// A process of its own: what it keeps in memory is nobody else's.
fn process(folder: &Path) -> Arc<LocalCache> {
    let (cache, warnings) = open(&CacheOptions::in_folder(folder));
    assert_eq!(warnings, [] as [String; 0]);
    cache
}

fn place(world: &World, store: Arc<dyn Store>, local: Arc<LocalCache>) -> Place {
    Place {
        local,
        ..Place::of(store, world.area.clone())
    }
}

fn blobs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("v1/blob")).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

fn content() -> Files {
    files([("a.py", "a = 1"), ("b/c.py", "c = 1")])
}

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
}

/// Reads all of `content` in a process of its own.
async fn load(world: &World, store: Arc<dyn Store>, folder: &Path) {
    let place = place(world, store, process(folder));
    let reader = Reader::load(place, None, Load::Everything).await.expect("a release");
    assert_eq!(all(&reader).await, content());
}

#[test]
fn a_cold_start_takes_two_steps_a_warm_one_the_marker_and_a_pinned_one_nothing() {
    let folder = TempDir::new().expect("a folder");
    block_on(async {
        let world = World::in_memory();
        let published = world.publish(&content(), "why").await.expect("published");
        let (store, reads) = Counting::around(world.stores[1].clone());
        let start = async |pin: Option<&Pin>, expected: u64| {
            let place = place(&world, store.clone(), process(folder.path()));
            let reader = Reader::load(place, pin, Load::Everything).await.expect("a release");
            assert_eq!(all(&reader).await, content());
            assert_eq!(taken(&reads), expected);
        };
        start(None, 2).await;
        start(None, 1).await;
        let id = published.release.expect("it is no dry run").to_string();
        let pin = Pin::Release(id.clone());
        start(Some(&pin), 0).await;
        // The first digits may mean another release meanwhile.
        start(Some(&Pin::Release(id[..8].to_owned())), 1).await;
    });
}

#[test]
fn what_was_seen_last_is_read_ahead_and_never_taken_for_what_is_there_now() {
    let folder = TempDir::new().expect("a folder");
    block_on(async {
        let world = World::in_memory();
        let (store, reads) = Counting::around(world.stores[1].clone());
        let load = async |load: Load, expected: &Files, requests: u64| {
            let place = place(&world, store.clone(), process(folder.path()));
            let reader = Reader::load(place, None, load).await.expect("a release");
            assert_eq!(all(&reader).await, *expected);
            assert_eq!(all(&reader).await, *expected, "and once more");
            assert_eq!(taken(&reads), requests, "{load:?}");
        };
        let later = files([("a.py", "a = 2"), ("b/c.py", "c = 1")]);
        for content in [content(), later] {
            world.publish(&content, "why").await.expect("published");
            load(Load::Everything, &content, 2).await;
            for kind in [Load::Index, Load::Code, Load::Everything] {
                load(kind, &content, 1).await;
            }
        }
    });
}

#[test]
fn what_is_in_memory_is_at_hand_and_what_is_wrong_there_is_not() {
    let folder = TempDir::new().expect("a folder");
    block_on(async {
        let world = World::in_memory();
        world.publish(&content(), "why").await.expect("published");
        let (store, reads) = Counting::around(world.stores[1].clone());
        let load = async |load: Load| {
            let local = process(folder.path());
            let place = place(&world, store.clone(), Arc::clone(&local));
            let reader = Reader::load(place, None, load).await.expect("a release");
            local.wait_until_written(Duration::from_secs(10));
            reader
        };
        let index = load(Load::Index).await;
        assert_eq!(index.at_hand("a.py"), None, "not fetched");
        let packs = load(Load::Code).await;
        let requests = taken(&reads);
        assert_eq!(packs.at_hand("a.py").as_deref(), Some(&b"a = 1"[..]));
        assert_eq!((packs.at_hand("nothing.py"), taken(&reads)), (None, 0), "{requests}");
        let pack = blobs(folder.path()).into_iter().max_by_key(|path| {
            let blob = fs::read(path).expect("a blob");
            blob.windows(5).any(|window| window == b"a = 1")
        });
        let pack = pack.expect("written by now");
        let mut flipped = fs::read(&pack).expect("a pack");
        let at = flipped
            .windows(5)
            .position(|window| window == b"a = 1")
            .expect("as it is");
        flipped[at] ^= 1;
        fs::write(&pack, flipped).expect("damaged");
        let damaged = load(Load::Code).await;
        assert_eq!(damaged.at_hand("a.py"), None);
        assert_eq!(damaged.at_hand("b/c.py").as_deref(), Some(&b"c = 1"[..]));
        assert_eq!(all(&damaged).await, content());
    });
}

#[test]
fn contents_that_were_read_one_by_one_are_kept_too() {
    let folder = TempDir::new().expect("a folder");
    block_on(async {
        let world = World::in_memory();
        world.publish(&content(), "why").await.expect("published");
        let (store, reads) = Counting::around(world.stores[1].clone());
        for expected in [3, 1] {
            let place = place(&world, store.clone(), process(folder.path()));
            let reader = Reader::open(place, None).await.expect("a release");
            let found = reader.read_many(&["a.py", "nothing.py"]).await.expect("contents");
            assert_eq!((found[0].as_deref(), found[1].as_deref()), (Some(&b"a = 1"[..]), None));
            reader.read_many(&["b/c.py"]).await.expect("contents");
            assert_eq!(taken(&reads), expected);
        }
    });
}

/// Replaces the current release of a store by one that says of two files of the same size that each is where the other is.
pub(super) async fn swap(world: &World, store: &dyn Store, [one, two]: [&str; 2]) {
    let swap = |files: &mut Value| {
        for field in ["offset", "length"] {
            let (first, second) = (files[one][field].clone(), files[two][field].clone());
            files[one][field] = second;
            files[two][field] = first;
        }
    };
    forge(world, store, swap).await;
}

/// Replaces the current release of a store by one that says something else of its files.
async fn forge(world: &World, store: &dyn Store, change: impl FnOnce(&mut Value)) {
    let key = |record: &str| format!("{}/.rstack/{record}", world.area);
    let get = async |key: &str| {
        let found = store.get_many(&[key.to_owned()]).await.expect("a value");
        found.into_iter().next().flatten().expect("a value")
    };
    let mut marker: Value = serde_json::from_slice(&get(&key("marker")).await).expect("JSON");
    let release = key(&format!("release/{}", marker["release"].as_str().expect("an id")));
    let text = zstd::decode_all(&get(&release).await[..]).expect("zstd");
    let mut manifest: Value = serde_json::from_slice(&text).expect("JSON");
    change(&mut manifest["files"]);
    let forged = zstd::encode_all(manifest.to_string().as_bytes(), 3).expect("zstd");
    let hash = ContentHash::of(&forged).to_string();
    marker["release"] = hash[..16].into();
    marker["manifest"] = serde_json::json!({"sha256": hash, "size": forged.len(), "parts": 1});
    marker.as_object_mut().expect("an object").remove("sum");
    let text = marker.to_string();
    let sum = ContentHash::of(text.as_bytes());
    let text = format!("{},\"sum\":\"{sum}\"}}", &text[..text.len() - 1]);
    let puts = [
        (key(&format!("release/{}", &hash[..16])), Bytes::from(forged)),
        (key("marker"), Bytes::from(text)),
    ];
    let mut puts = puts.into_iter().map(|(key, value)| Put {
        key,
        body: Body::Bytes(value),
    });
    store.put_many(&mut puts, &|_, _| ()).await.expect("written");
}

#[test]
fn what_a_pack_holds_in_place_of_a_file_is_never_taken_for_it() {
    let folder = TempDir::new().expect("a folder");
    block_on(async {
        let world = World::in_memory();
        let content = files([("a.py", "a = 1"), ("b.py", "b = 2")]);
        world.publish(&content, "why").await.expect("published");
        swap(&world, &*world.stores[1], ["a.py", "b.py"]).await;
        // Cold, from the cache, and from a cache that has been read before.
        for _ in 0..4 {
            let place = place(&world, world.stores[1].clone(), process(folder.path()));
            let reader = Reader::load(place, None, Load::Everything).await.expect("a release");
            for wanted in [&["a.py", "b.py"][..], &["a.py"]] {
                let error = reader.read_many(wanted).await.expect_err("another file's content");
                let message = error.to_string();
                assert!(message.contains("its hash is not what the manifest says"), "{message}");
            }
        }
    });
}

#[test]
fn a_file_is_not_taken_for_checked_because_another_of_its_content_is() {
    let folder = TempDir::new().expect("a folder");
    block_on(async {
        let world = World::in_memory();
        let content = files([("a.py", "a = 1"), ("b.py", "b = 2")]);
        world.publish(&content, "why").await.expect("published");
        // What is in place of `b.py` is said to be what `a.py` is.
        let same = |files: &mut Value| files["b.py"]["sha256"] = files["a.py"]["sha256"].clone();
        forge(&world, &*world.stores[1], same).await;
        for _ in 0..4 {
            let place = place(&world, world.stores[1].clone(), process(folder.path()));
            let reader = Reader::load(place, None, Load::Everything).await.expect("a release");
            let good = reader.read_many(&["a.py"]).await.expect("what it is");
            assert_eq!(good[0].as_deref(), Some(&b"a = 1"[..]));
            let both = reader.read_many(&["b.py", "a.py"]).await;
            let taken = both.is_ok_and(|both| both.iter().flatten().any(|content| **content != *b"a = 1"));
            assert!(!taken, "never another content for that hash");
        }
    });
}

#[test]
fn what_is_damaged_in_the_cache_or_no_file_is_dropped_and_fetched_again() {
    let folder = TempDir::new().expect("a folder");
    block_on(async {
        let world = World::in_memory();
        world.publish(&content(), "why").await.expect("published");
        let (store, reads) = Counting::around(world.stores[1].clone());
        let load = async |expected: u64| {
            load(&world, store.clone(), folder.path()).await;
            assert_eq!(taken(&reads), expected);
        };
        load(2).await;
        let kept = blobs(folder.path());
        assert_eq!(kept.len(), 2, "a manifest and a pack: {kept:?}");
        for path in kept {
            let whole = fs::read(&path).expect("a blob");
            let mut flipped = whole.clone();
            let middle = flipped.len() / 2;
            flipped[middle] ^= 1;
            for damaged in [flipped, whole[..whole.len() - 1].to_vec(), Vec::new()] {
                fs::write(&path, damaged).expect("damaged");
                load(2).await;
                assert_eq!(fs::read(&path).expect("a blob"), whole, "it is mended");
                load(1).await;
            }
            fs::remove_file(&path).expect("gone");
            pipe(&path);
            load(2).await;
            assert_eq!(fs::read(&path).expect("a blob"), whole, "it keeps no reader waiting");
        }
        // A damaged note of a move is no note.
        for note in fs::read_dir(folder.path().join("v1/note")).expect("notes").flatten() {
            let mut bytes = fs::read(note.path()).expect("a note");
            *bytes.last_mut().expect("a byte") ^= 1;
            fs::write(note.path(), bytes).expect("damaged");
        }
        let pin = world.environment().moves().await.expect("moves")[0].release.to_string();
        let place = place(&world, store.clone(), process(folder.path()));
        let pinned = Reader::load(place, Some(&Pin::Release(pin)), Load::Everything).await;
        assert_eq!(all(&pinned.expect("a release")).await, content());
        assert_eq!(taken(&reads), 1);
    });
}

#[test]
fn a_folder_that_others_may_write_or_own_is_not_used_and_that_is_told() {
    let unsafe_folder = TempDir::new().expect("a folder");
    fs::set_permissions(unsafe_folder.path(), fs::Permissions::from_mode(0o777)).expect("opened");
    let file = TempDir::new().expect("a folder");
    fs::write(file.path().join("file"), "").expect("written");
    let inside = TempDir::new().expect("a folder");
    drop(process(inside.path()));
    fs::set_permissions(inside.path().join("v1/blob"), fs::Permissions::from_mode(0o770)).expect("opened");
    let mut cases = vec![
        (unsafe_folder.path().to_owned(), "others may write to"),
        (file.path().join("file"), "cannot be made"),
        (inside.path().to_owned(), "others may write to"),
    ];
    // Only root may give a folder away, and root owns this one only when the tests run as somebody else.
    let foreign = TempDir::new().expect("a folder");
    if std::os::unix::fs::chown(foreign.path(), Some(65534), None).is_ok() {
        cases.push((foreign.path().to_owned(), "belongs to another user"));
    } else {
        cases.push(("/usr/lib".into(), "belongs to another user"));
    }
    block_on(async {
        let world = World::in_memory();
        world.publish(&content(), "why").await.expect("published");
        let (store, reads) = Counting::around(world.stores[1].clone());
        for (folder, why) in cases {
            let options = CacheOptions::in_folder(&folder);
            let (cache, warnings) = open(&options);
            assert!(
                matches!(warnings.as_slice(), [warning] if warning.contains(why)),
                "{}: {warnings:?}",
                folder.display()
            );
            for expected in [2, 1] {
                let place = place(&world, store.clone(), Arc::clone(&cache));
                let reader = Reader::load(place, None, Load::Everything).await.expect("a release");
                assert_eq!(all(&reader).await, content());
                assert_eq!(taken(&reads), expected, "memory serves this process");
            }
            assert!(
                folder.is_file()
                    || !folder.join("v1/blob").exists()
                    || fs::read_dir(folder.join("v1/blob")).expect("readable").next().is_none()
            );
        }
    });
}

#[test]
fn what_is_kept_is_for_its_owner_alone() {
    let parent = TempDir::new().expect("a folder");
    let folder = parent.path().join("new/cache");
    block_on(async {
        let world = World::in_memory();
        world.publish(&content(), "why").await.expect("published");
        let place = place(&world, world.stores[1].clone(), process(&folder));
        Reader::load(place, None, Load::Everything).await.expect("a release");
    });
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("v1/blob"))), (0o700, 0o700));
    for blob in blobs(&folder) {
        assert_eq!(mode(&blob), 0o600);
    }
}

#[test]
fn the_cache_stays_within_its_limit_and_what_was_used_last_stays() {
    let folder = TempDir::new().expect("a folder");
    let options = CacheOptions {
        limit: 100_000,
        ..CacheOptions::in_folder(folder.path())
    };
    let used = |blob: &Path, seconds: u64| {
        let file = fs::File::options().write(true).open(blob).expect("a blob");
        let time = SystemTime::now() - Duration::from_secs(seconds);
        file.set_modified(time).expect("set");
    };
    let (mut in_use, mut known) = (Vec::new(), Vec::new());
    block_on(async {
        let world = World::in_memory();
        for round in 0..12 {
            let content = files([("a.py", noise(round).as_str())]);
            world.publish(&content, "why").await.expect("published");
            let place = place(&world, world.stores[1].clone(), open(&options).0);
            let reader = Reader::load(place, None, Load::Everything).await.expect("a release");
            assert_eq!(all(&reader).await, content);
            for blob in blobs(folder.path()) {
                if !known.contains(&blob) {
                    used(&blob, 10_000 - round * 100);
                    known.push(blob);
                }
            }
            if round == 0 {
                in_use.clone_from(&known);
            }
            for blob in &in_use {
                used(blob, 0);
            }
            let report = report_cache(&options).expect("a report");
            assert!(report.bytes <= options.limit, "{report:?}");
        }
    });
    let left = blobs(folder.path());
    assert!(in_use.iter().all(|blob| left.contains(blob)), "what is used stays");
    let newest = known.len() - 2;
    assert!(
        known[newest..].iter().all(|blob| left.contains(blob)),
        "what came last stays"
    );
    assert!(
        left.len() < known.len(),
        "{} blobs of {} are left",
        left.len(),
        known.len()
    );
}

/// Text that does not become smaller.
fn noise(seed: u64) -> String {
    let mut state = seed + 0x2545_f491_4f6c_dd1d;
    let letter = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b' ' + state.to_le_bytes()[3] % 95)
    };
    (0..20_000).map(letter).collect()
}
