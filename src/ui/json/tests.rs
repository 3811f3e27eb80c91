//! Every example in `docs/json.md` of an event or an error is a line that is really written.

use rstack::aws::{AwsError, AwsErrorKind, Service};
use rstack::event::{
    Event, LocalStep, Operation, OperationKind, PlannedResource, Progress, StackEvent, Task, WaitReason,
};
use rstack::release::{Changes, MoveKind, Moved, Standing};
use rstack::stack::{
    Action, Cause, Change, ChangeSet, Holding, Planned, Replacement, ResourceStatus, StackFailure, StackStatus,
    TagChange,
};
use rstack::store::StoreKind;
use rstack::time::Timestamp;
use rstack::{Error, ErrorKind, Outcome};
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../../../docs/json.md");
const STACK_ID: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo/5b6e";

fn time() -> Timestamp {
    Timestamp::parse("2026-11-01T12:00:00Z").expect("a time")
}

fn stack_events() -> Vec<Event> {
    vec![
        Event::Operation(Operation {
            kind: OperationKind::Create,
            stack: "demo".into(),
            stack_id: STACK_ID.into(),
            resources: vec![PlannedResource {
                logical_id: "bucket".into(),
                resource_type: "AWS::S3::Bucket".into(),
            }],
            attached: false,
        }),
        Event::Stack(StackEvent {
            id: "bucket-CREATE_COMPLETE-1".into(),
            time: time(),
            logical_id: "bucket".into(),
            physical_id: Some("demo-bucket-1x2y".into()),
            resource_type: "AWS::S3::Bucket".into(),
            status: ResourceStatus::CreateComplete,
            reason: None,
            of_stack: false,
            token: Some("rstack-00ff".into()),
            operation_id: None,
        }),
        Event::Changes(ChangeSet {
            id: "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/rstack-00ff/7c".into(),
            stack_id: STACK_ID.into(),
            changes: vec![Change {
                action: Action::Modify,
                logical_id: "table".into(),
                physical_id: Some("demo-table-1x2y".into()),
                resource_type: "AWS::DynamoDB::Table".into(),
                replacement: Replacement::Always,
                because: vec!["Properties.TableName".into()],
                kept: false,
            }],
            tags: vec![TagChange {
                key: "team".into(),
                before: None,
                after: "core".into(),
            }],
        }),
        Event::Removal(Planned {
            holding: Holding {
                logical_id: "Bucket".into(),
                physical_id: "demo-bucket-1x2y".into(),
                resource_type: "AWS::S3::Bucket".into(),
                kept: None,
            },
            contents: None,
        }),
        Event::Settled {
            stack: "demo".into(),
            status: StackStatus::CreateComplete,
            seconds: 251.5,
        },
        Event::Leftovers {
            stack: "demo".into(),
            status: StackStatus::RollbackComplete,
            cause: Some("bucket (AWS::S3::Bucket): demo already exists".into()),
        },
        Event::Waiting {
            reason: WaitReason::Throttled,
            seconds: 2.5,
        },
    ]
}

fn other_events() -> Vec<Event> {
    let task = Task::Send { store: StoreKind::S3 };
    vec![
        Event::Progress(Progress {
            task,
            done: 120,
            total: Some(300),
            bytes: 1_048_576,
            total_bytes: Some(2_621_440),
        }),
        Event::Move(Box::new(moved())),
        Event::Local(LocalStep::StartingAws { port: 4599 }),
        Event::Local(LocalStep::Ready {
            endpoint: "http://127.0.0.1:4599".into(),
            seconds: 0.6,
        }),
        Event::Warning {
            message: "redis: `10.0.0.5:6379` does not answer in time".into(),
            hint: Some("run this from inside the VPC, or use `--redis-url`".into()),
        },
        Event::Note {
            message: "waiting until the table is ACTIVE".into(),
        },
    ]
}

fn moved() -> Moved {
    let standing = |id: &str, minute: u8, why: &str| Standing {
        id: id.parse().expect("an id"),
        time: Timestamp::parse(&format!("2026-11-01T12:{minute:02}:00Z")).expect("a time"),
        author: "tony".into(),
        message: Some(why.into()),
    };
    Moved {
        kind: MoveKind::Rollback,
        area: "prod".parse().expect("an area"),
        release: standing("f754255bb1c98081", 0, "first version"),
        previous: Some(standing("eb6c74562a33f524", 5, "raise the limit")),
        origin: None,
        moved: true,
        dry_run: true,
        sequence: 3,
        files: 2,
        bytes: 42,
        added: 0,
        changed: 1,
        removed: 1,
        changes: Some(Changes {
            changed: vec!["settings.py".into()],
            removed: vec!["report.py".into()],
            ..Changes::default()
        }),
        signed: false,
        stores: Vec::new(),
        seconds: 0.01,
    }
}

fn errors() -> Vec<Error> {
    let denied = AwsError {
        service: Service::CloudFormation,
        action: "CreateStack",
        kind: AwsErrorKind::Denied,
        code: Some("AccessDenied".into()),
        message: "not authorized".into(),
        request_id: Some("72ad1f12".into()),
    };
    let failure = StackFailure {
        stack: "demo".parse().expect("a name"),
        status: StackStatus::RollbackComplete,
        causes: vec![Cause {
            logical_id: "bucket".into(),
            resource_type: "AWS::S3::Bucket".into(),
            reason: "demo already exists".into(),
        }],
        events: Vec::new(),
    };
    vec![
        Error::usage("unexpected argument '--bad' found").with_hint("see `rstack --help`"),
        denied.into(),
        Error::from(ErrorKind::Stack(Box::new(failure))).leaving("stack `demo` (ROLLBACK_COMPLETE)"),
    ]
}

#[test]
fn every_documented_line_is_written() {
    let events = stack_events().into_iter().chain(other_events());
    let lines = events
        .map(|event| super::event(&event))
        .chain(errors().into_iter().map(|error| super::error(&error)));
    let missing: Vec<String> = lines.filter(|line| !DOCUMENT.contains(line.as_str())).collect();
    assert!(missing.is_empty(), "docs/json.md lacks:\n{}", missing.concat());
}

/// New kinds of events get their paragraph: the document names every `type` that exists.
#[test]
fn every_documented_example_is_json_of_this_version() {
    let examples: Vec<Value> = DOCUMENT
        .lines()
        .filter(|line| line.starts_with(r#"{"v""#))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    assert!(examples.len() > 10);
    assert!(
        examples
            .iter()
            .all(|example| example["v"] == super::VERSION && example["type"].is_string())
    );
}

#[test]
fn a_result_names_its_command_and_its_exit_code() {
    let line = super::result("seed", &json!({ "area": "main" }), Outcome::Partial);
    assert_eq!(
        line,
        "{\"v\":1,\"type\":\"result\",\"command\":\"seed\",\"outcome\":\"partial\",\"exit_code\":3,\"data\":{\"area\":\"main\"}}\n"
    );
    assert_eq!(
        super::data("log", &json!({ "line": "x" })),
        "{\"v\":1,\"type\":\"log\",\"data\":{\"line\":\"x\"}}\n"
    );
}
