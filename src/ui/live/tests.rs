use std::time::{Duration, Instant};

use rstack::event::{Event, LocalStep};
use rstack::event::{Operation, OperationKind, PlannedResource, Progress, StackEvent, Task};
use rstack::stack::{ResourceStatus, StackStatus};
use rstack::store::StoreKind;
use rstack::time::Timestamp;

use super::Live;
use crate::ui::style::Style;

/// Local time of the machine in these tests; the service's clock is half a minute ahead.
fn clock(seconds: u64) -> Timestamp {
    Timestamp::parse("2026-11-01T12:00:00Z").expect("a time") + Duration::from_secs(seconds)
}

fn event(logical_id: &str, resource_type: &str, status: &str, at: u64, reason: Option<&str>) -> Event {
    Event::Stack(StackEvent {
        id: format!("{logical_id}-{status}"),
        time: clock(at + 30),
        logical_id: logical_id.to_owned(),
        physical_id: None,
        resource_type: resource_type.to_owned(),
        status: ResourceStatus::from(status),
        reason: reason.map(str::to_owned),
        of_stack: resource_type == "AWS::CloudFormation::Stack",
        token: None,
        operation_id: None,
    })
}

fn operation() -> Event {
    let resource = |logical_id: &str, resource_type: &str| PlannedResource {
        logical_id: logical_id.to_owned(),
        resource_type: resource_type.to_owned(),
    };
    Event::Operation(Operation {
        kind: OperationKind::Create,
        stack: "demo".to_owned(),
        stack_id: "arn".to_owned(),
        resources: vec![
            resource("bucket", "AWS::S3::Bucket"),
            resource("table", "AWS::DynamoDB::Table"),
            resource("redis", "AWS::ElastiCache::CacheCluster"),
            resource("redisSecurityGroup", "AWS::EC2::SecurityGroup"),
        ],
        attached: false,
    })
}

/// Creating, 70 seconds in: one done, one failed, one going on, one not begun.
fn creating(start: Instant) -> Live {
    let mut live = Live::default();
    for (at, event) in [
        (0, operation()),
        (
            0,
            event("demo", "AWS::CloudFormation::Stack", "CREATE_IN_PROGRESS", 0, None),
        ),
        (2, event("bucket", "AWS::S3::Bucket", "CREATE_IN_PROGRESS", 2, None)),
        (
            2,
            event("redis", "AWS::ElastiCache::CacheCluster", "CREATE_IN_PROGRESS", 2, None),
        ),
        (3, event("table", "AWS::DynamoDB::Table", "CREATE_IN_PROGRESS", 3, None)),
        (25, event("bucket", "AWS::S3::Bucket", "CREATE_COMPLETE", 25, None)),
        (
            40,
            event(
                "table",
                "AWS::DynamoDB::Table",
                "CREATE_FAILED",
                40,
                Some("table\nexists \u{1b}[31m"),
            ),
        ),
    ] {
        live.apply(&event, start + Duration::from_secs(at), clock(at));
    }
    live
}

fn shown(live: &Live, width: usize, height: usize, start: Instant, after: u64) -> String {
    let style = Style {
        color: false,
        width,
        cut: true,
    };
    let lines = live.lines(width, height, 0, start + Duration::from_secs(after), clock(after));
    let lines: Vec<String> = lines
        .iter()
        .map(|line| line.render_within(style, width).trim_end().to_owned())
        .collect();
    lines.join("\n")
}

#[test]
fn a_wide_terminal_shows_status_age_type_and_reason() {
    let start = Instant::now();
    insta::assert_snapshot!(shown(&creating(start), 100, 24, start, 70), @r"
    demo ███████████████░░░░░░░░░░░░░░░ 2/4 creating 1m 10s
    ✓ bucket              CREATE_COMPLETE       23 s  AWS::S3::Bucket
    ✗ table               CREATE_FAILED         37 s  table\nexists \x1b[31m
    ⠋ redis               CREATE_IN_PROGRESS  1m 08s  AWS::ElastiCache::CacheCluster
      redisSecurityGroup  waiting                     AWS::EC2::SecurityGroup
    ");
}

#[test]
fn forty_columns_are_enough() {
    let start = Instant::now();
    let text = shown(&creating(start), 40, 24, start, 70);
    insta::assert_snapshot!(text, @r"
    demo ███████░░░░░░░ 2/4 creating 1m 10s
    ✓ bucket      CREATE_COMPLETE       23 s
    ✗ table       CREATE_FAILED         37 s
    ⠋ redis       CREATE_IN_PROGRESS  1m 08s
      redisSecu…  waiting
    ");
    assert!(text.lines().all(|line| crate::ui::text::width(line) <= 40));
}

#[test]
fn a_low_terminal_hides_what_is_done_first() {
    let start = Instant::now();
    insta::assert_snapshot!(shown(&creating(start), 60, 5, start, 70), @r"
    demo ███████████████░░░░░░░░░░░░░░░ 2/4 creating 1m 10s
    ⠋ redis               CREATE_IN_PROGRESS  1m 08s
      redisSecurityGroup  waiting
      and 2 more
    ");
}

#[test]
fn no_width_breaks_it() {
    let start = Instant::now();
    let live = creating(start);
    for width in 1..250 {
        let text = shown(&live, width, 24, start, 4000);
        assert!(
            text.lines().all(|line| crate::ui::text::width(line) <= width),
            "{width}:\n{text}"
        );
    }
}

fn progress(task: Task, done: u64, bytes: u64) -> Event {
    Event::Progress(Progress {
        task,
        done,
        total: Some(300),
        bytes,
        total_bytes: Some(30 << 20),
    })
}

#[test]
fn sending_shows_a_bar_bytes_and_a_rate() {
    let start = Instant::now();
    let mut live = Live::default();
    let send = |store| Task::Send { store };
    live.apply(&progress(send(StoreKind::S3), 0, 0), start, clock(0));
    live.apply(&progress(send(StoreKind::DynamoDb), 0, 0), start, clock(0));
    live.apply(&progress(send(StoreKind::S3), 150, 20 << 20), start, clock(4));
    insta::assert_snapshot!(shown(&live, 80, 24, start, 4), @r"
    sending to s3 ████████████████████░░░░░░░░░░ 150/300 files, 20.0 MiB, 5.0 MiB/s
    sending to dynamodb ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 0/300 files
    ");
    insta::assert_snapshot!(shown(&live, 40, 24, start, 4), @r"
    sending to s3 ██████░░░░ 67%, 5.0 MiB/s
    sending to dynamodb ░░░░░░░ 0/300 files
    ");
    live.apply(&progress(send(StoreKind::S3), 300, 30 << 20), start, clock(5));
    live.apply(&progress(send(StoreKind::DynamoDb), 300, 30 << 20), start, clock(5));
    assert!(live.is_empty());
}

#[test]
fn a_local_step_spins_with_the_last_line_of_its_output() {
    let start = Instant::now();
    let mut live = Live::default();
    let steps = [
        LocalStep::Installing {
            package: "ministack".to_owned(),
        },
        LocalStep::InstallOutput {
            line: "Collecting botocore".to_owned(),
        },
    ];
    for step in steps {
        live.apply(&Event::Local(step), start, clock(0));
    }
    insta::assert_snapshot!(shown(&live, 110, 24, start, 12), @r"⠋ installing ministack into a Python environment of rstack's own (first time only) 12 s  Collecting botocore");
    let ready = LocalStep::Ready {
        endpoint: "http://127.0.0.1:1".to_owned(),
        seconds: 12.0,
    };
    live.apply(&Event::Local(ready), start, clock(12));
    assert!(live.is_empty());
}

#[test]
fn the_view_ends_with_the_operation() {
    let start = Instant::now();
    let mut live = creating(start);
    let settled = Event::Settled {
        stack: "demo".to_owned(),
        status: StackStatus::CreateComplete,
        seconds: 70.0,
    };
    live.apply(&settled, start, clock(70));
    assert!(live.is_empty());
}
