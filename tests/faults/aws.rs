//! DynamoDB and S3 that throttle, break off, lie or say nothing.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::world::World;
use crate::support::microburst::Microburst;
use crate::support::{Output, Rstack, Signal};

/// A world behind a proxy.
struct Behind {
    world: World,
    proxy: Microburst,
}

impl Behind {
    fn new(what: &str) -> Self {
        let world = World::new(what, None);
        let proxy = Microburst::aws(world.local.endpoint());
        Self { world, proxy }
    }

    fn call(&self) -> Rstack {
        Rstack::new().endpoint(self.proxy.url())
    }

    /// Reads a source while these rules hold, which has to succeed although they were used.
    #[track_caller]
    fn reads(&self, source: &str, rules: &Value) {
        self.proxy.rules(rules);
        self.world.pull(self.call(), source).expect(0);
        self.world.assert_pulled();
        assert!(self.proxy.fired() > 0, "{rules} was never used");
    }

    /// As [`Behind::reads`], and has to fail.
    #[track_caller]
    fn refuses(&self, source: &str, rules: &Value) -> Output {
        self.proxy.rules(rules);
        let output = self.world.pull(self.call(), source).expect(1);
        assert!(self.proxy.fired() > 0, "{rules} was never used");
        assert!(!self.world.dir.path().join("out").exists());
        output
    }

    fn seed(&self) -> Output {
        let area = ["--area", &self.world.name, "-n", &self.world.name, "--no-plain"];
        self.call()
            .args(["seed", "./src"])
            .args(area)
            .dir(self.world.dir.path())
            .run()
    }
}

fn throttled(operation: &str) -> Value {
    json!({ "service": "dynamodb", "operation": operation,
            "error": { "code": "ProvisionedThroughputExceededException" } })
}

fn with(mut rule: Value, name: &str, value: Value) -> Value {
    rule[name] = value;
    rule
}

#[test]
fn a_table_that_throttles_is_waited_for_and_not_for_ever() {
    let behind = Behind::new("fault-throttled");
    let rule = throttled("BatchGetItem");
    let table = behind.world.table();
    behind.reads(&table, &json!([with(rule.clone(), "times", json!(7))]));
    // Slow is no reason to read something else.
    let environment = behind.refuses(&behind.world.environment(), &json!([rule]));
    assert!(environment.stderr.contains("dynamodb"), "{environment}");
}

#[test]
fn keys_that_a_table_leaves_unprocessed_are_asked_for_again() {
    let behind = Behind::new("fault-unprocessed");
    let (table, name) = (format!("{}-table", behind.world.name), &behind.world.name);
    let marker = json!({ "Keys": [{ "path": { "S": format!("{name}/.rstack/marker") } }], "ConsistentRead": true });
    let rule = json!([{ "service": "dynamodb", "operation": "BatchGetItem", "times": 1,
        "body": format!("RequestItems.\"{table}\".Keys[?path.S == '{name}/.rstack/marker']"),
        "error": { "code": "x", "status": 200, "fields": { "Responses": {}, "UnprocessedKeys": { table: marker } } } }]);
    behind.reads(&behind.world.table(), &rule);
}

#[test]
fn a_connection_that_breaks_off_within_a_pack_is_tried_again_and_not_for_ever() {
    let behind = Behind::new("fault-reset");
    for (source, service, operation) in [
        (behind.world.bucket(), "s3", "GetObject"),
        (behind.world.table(), "dynamodb", "BatchGetItem"),
    ] {
        let rule = json!({ "service": service, "operation": operation, "response": { "abort_frac": 0.5 } });
        behind.reads(&source, &json!([with(rule.clone(), "times", json!(2))]));
        let refused = behind.refuses(&source, &json!([rule]));
        assert!(refused.stderr.contains(service), "{refused}");
    }
}

#[test]
fn bytes_that_were_changed_or_left_out_on_the_way_are_never_taken() {
    let behind = Behind::new("fault-changed");
    for mutation in [json!({ "corrupt_bytes": 3 }), json!({ "truncate_frac": 0.7 })] {
        for (source, service, operation) in [
            (behind.world.bucket(), "s3", "GetObject"),
            (behind.world.table(), "dynamodb", "BatchGetItem"),
        ] {
            let rule = json!({ "service": service, "operation": operation, "response": mutation });
            behind.refuses(&source, &json!([rule]));
        }
    }
}

#[test]
fn a_service_that_is_busy_for_a_moment_is_asked_again() {
    let behind = Behind::new("fault-busy");
    let slow = json!([{ "service": "s3", "operation": "GetObject", "times": 3, "error": { "code": "SlowDown", "status": 503 } }]);
    behind.reads(&behind.world.bucket(), &slow);
    let broken = json!([{ "service": "dynamodb", "operation": "BatchGetItem", "times": 2,
        "error": { "code": "InternalServerError", "status": 500 } }]);
    behind.reads(&behind.world.table(), &broken);
}

#[test]
fn a_refused_marker_is_an_error_and_no_reason_to_read_another_store() {
    let behind = Behind::new("fault-denied");
    let denied = json!([{ "service": "dynamodb", "error": { "code": "AccessDeniedException", "status": 400 } }]);
    let refused = behind.refuses(&behind.world.environment(), &denied);
    assert!(refused.stderr.contains("AccessDenied"), "{refused}");
}

#[test]
fn an_answer_that_never_comes_ends_the_wait() {
    let behind = Behind::new("fault-silent");
    behind.reads(
        &behind.world.bucket(),
        &json!([{ "service": "s3", "operation": "GetObject", "times": 1, "timeout": true }]),
    );
}

#[test]
fn a_service_that_keeps_a_command_waiting_is_named() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let call = Rstack::new().endpoint(endpoint).args(["ls", "s3://bucket/area"]);
    let mut listing = call.spawn();
    let told = "no answer from S3 for 10 s; still waiting";
    listing.until(told).signal(Signal::INT);
    listing.wait().expect(130);
}

#[test]
fn a_publisher_gets_through_faults_and_moves_the_marker_once() {
    let behind = Behind::new("fault-publish");
    let marker = format!("{}/.rstack/marker", behind.world.name);
    let faults = [
        with(throttled("BatchWriteItem"), "times", json!(4)),
        json!({ "service": "dynamodb", "operation": "BatchWriteItem", "times": 2, "response": { "abort_frac": 0.0 } }),
        json!({ "service": "s3", "operation": "PutObject", "times": 2, "reset": true }),
        json!({ "service": "s3", "operation": "PutObject", "times": 1, "response": { "abort_bytes": 0 } }),
        // The deciding write goes through, and its answer is lost.
        json!({ "service": "dynamodb", "operation": "PutItem", "times": 1, "body": format!("Item.path.S == '{marker}'"),
                "response": { "abort_frac": 0.0 } }),
    ];
    for (generation, fault) in (2..).zip(faults) {
        behind.world.write(generation);
        behind.proxy.rules(&json!([fault]));
        behind.seed().expect(0);
        assert!(behind.proxy.fired() > 0, "{fault} was never used");
        assert_eq!(behind.world.moves() as u64, generation, "{fault}");
        behind.proxy.rules(&json!([]));
        for source in [behind.world.environment(), behind.world.bucket(), behind.world.table()] {
            behind.world.pull(behind.call(), &source).expect(0);
            behind.world.assert_pulled();
        }
    }
}

#[test]
fn an_upload_that_was_cut_short_is_noticed_before_the_marker_moves() {
    let behind = Behind::new("fault-cut");
    // The server here keeps the half that arrived, which S3 would not.
    behind.proxy.rules(
        &json!([{ "service": "s3", "operation": "PutObject", "times": 1, "cut_upload": { "after_frac": 0.5 } }]),
    );
    let published = behind.world.source();
    behind.world.write(2);
    let seeded = behind.seed();
    assert!(behind.proxy.fired() > 0);
    behind.proxy.rules(&json!([]));
    if seeded.code() == Some(1) {
        assert!(seeded.stderr.contains("read back"), "{seeded}");
        assert_eq!(behind.world.moves(), 1);
        behind.world.pull(behind.call(), &behind.world.environment()).expect(0);
        assert!(behind.world.pulled() == published);
    }
    behind.seed().expect(0);
    for source in [behind.world.environment(), behind.world.bucket()] {
        behind.world.pull(behind.call(), &source).expect(0);
        behind.world.assert_pulled();
    }
}
