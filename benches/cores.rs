//! The pure cores that programs wait for, or that grow with what they are given: `cargo bench`.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rstack::config::Config;
use rstack::event::{Event, OperationKind, Reporter, StackEvent};
use rstack::interrupt;
use rstack::publish::{Area, Tree};
use rstack::release::{Content, Load, Mover, Place, Publication, Reader, Stores, Work, publish};
use rstack::stack::{EventLog, ResourceStatus, Scope, Timeline};
use rstack::store::MemoryStore;
use rstack::template::{Format, Preset};
use rstack::time::Timestamp;
use rstack::trust::TrustedKeys;

/// Events in a page of DescribeStackEvents.
const PAGE: usize = 100;

fn template(c: &mut Criterion) {
    let stores = Config::default().stores;
    let mut group = c.benchmark_group("template");
    for (name, preset) in [("default", Preset::Default), ("article", Preset::Article)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                preset
                    .template(black_box(&stores))
                    .to_text(Format::Yaml)
                    .expect("a template")
            });
        });
    }
}

/// An operation on 500 resources: 1,502 events.
fn history() -> Vec<StackEvent> {
    let start = Timestamp::parse("2026-11-01T12:00:00Z").expect("a time");
    let event = |number: i64, logical_id: &str, status: &str| StackEvent {
        id: format!("{logical_id}-{status}-{number}"),
        time: start.shifted(number / 10),
        logical_id: logical_id.to_owned(),
        physical_id: None,
        resource_type: "AWS::S3::Bucket".to_owned(),
        status: ResourceStatus::from(status),
        reason: None,
        of_stack: logical_id == "demo",
        token: Some("ours".to_owned()),
        operation_id: None,
    };
    let mut events = vec![event(0, "demo", "CREATE_IN_PROGRESS")];
    for (round, status) in (0_i64..).zip(["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]) {
        events.extend((0..500).map(|resource| event(round * 500 + resource, &format!("Resource{resource}"), status)));
    }
    events.push(event(1500, "demo", "CREATE_COMPLETE"));
    events
}

fn events(c: &mut Criterion) {
    let history = history();
    let newest_first: Vec<StackEvent> = history.iter().rev().cloned().collect();
    let pages: Vec<Vec<StackEvent>> = newest_first.chunks(PAGE).map(<[_]>::to_vec).collect();
    let mut group = c.benchmark_group("events");
    group.throughput(Throughput::Elements(history.len() as u64));
    group.bench_function("merge 1,502", |b| {
        let log = || EventLog::new(OperationKind::Create, Scope::Token("ours".to_owned()));
        let merge = |(mut log, pages): (EventLog, Vec<Vec<StackEvent>>)| log.merge(pages);
        b.iter_batched(|| (log(), pages.clone()), merge, BatchSize::LargeInput);
    });
    group.bench_function("timeline of 1,502", |b| {
        let now = Timestamp::now();
        b.iter(|| Timeline::of("demo".to_owned(), black_box(&history), now));
    });
}

struct Unheard;

impl Reporter for Unheard {
    fn report(&self, _: &Event) {}
}

/// A release of so many copies of the demo scripts, in memory.
fn published(runtime: &tokio::runtime::Runtime, area: &Area, copies: u32) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::default());
    let stores = Stores {
        deciding: &*store,
        durable: Vec::new(),
        caches: Vec::new(),
    };
    let (_interrupter, interrupt) = interrupt::channel();
    let job = Publication {
        content: Content {
            tree: &Tree::demo_scaled(copies),
            onto_current: false,
            removed: &BTreeSet::new(),
        },
        mover: Mover {
            area,
            stack_id: "arn",
            stores: &stores,
            author: "cores",
            reason: None,
            signer: None,
            unsigned: true,
        },
        trusted: &TrustedKeys::default(),
        dry_run: false,
    };
    let work = Work {
        reporter: &Unheard,
        interrupt: &interrupt,
    };
    runtime.block_on(publish(&job, &work)).expect("a release");
    store
}

fn releases(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let area = Area::default();
    for copies in [1, 100] {
        let store = published(&runtime, &area, copies);
        let files = u64::from(copies) * 7;
        let open = |load| {
            let place = Place::of(store.clone(), area.clone());
            runtime.block_on(Reader::load(place, None, load)).expect("a release")
        };
        let mut group = c.benchmark_group(format!("release of {files} files"));
        group.throughput(Throughput::Elements(files));
        group.bench_function("manifest", |b| b.iter(|| open(Load::Index)));
        group.bench_function("packs", |b| {
            let all = |reader: Reader| {
                let paths: Vec<&str> = reader.manifest().files.keys().map(AsRef::as_ref).collect();
                runtime.block_on(reader.read_many(&paths)).expect("contents")
            };
            b.iter_batched(|| open(Load::Everything), all, BatchSize::LargeInput);
        });
    }
}

criterion_group!(cores, template, events, releases);
criterion_main!(cores);
