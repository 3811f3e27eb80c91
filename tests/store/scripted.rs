//! What no emulator answers: work left over, throttling, answers that got lost, refusals.

use bytes::Bytes;
use rstack::aws::{Access, Aws};
use rstack::store::{Body, DynamoDbStore, Put, S3Store, Store, StoreErrorKind, Swap};
use serde_json::{Value, json};

use crate::support::block_on;
use crate::support::scripted::{Script, Scripted, connection_reset, denied, error, json};

async fn aws(script: &Scripted) -> Aws {
    let access = Access {
        region: Some("eu-west-1".to_owned()),
        endpoint_url: Some(script.endpoint()),
        credentials: Some(("id".to_owned(), "secret".to_owned())),
        ..Access::default()
    };
    Aws::connect(&access).await.expect("a region is set")
}

async fn table(script: &Scripted) -> DynamoDbStore {
    DynamoDbStore::new(aws(script).await.dynamodb().clone(), "t")
}

fn found(items: &[(&str, &str)]) -> Value {
    let item = |(path, code): &(&str, &str)| json!({ "path": { "S": path }, "code": { "S": code } });
    json!({ "Responses": { "t": items.iter().map(item).collect::<Vec<_>>() } })
}

/// The keys that a BatchWriteItem names.
fn written(call: &Value) -> Vec<String> {
    let requests = call["RequestItems"]["t"].as_array().expect("requests");
    let path = |request: &Value| {
        request["PutRequest"]["Item"]["path"]["S"]
            .as_str()
            .expect("a path")
            .to_owned()
    };
    let mut paths: Vec<String> = requests.iter().map(path).collect();
    paths.sort();
    paths
}

#[test]
fn items_that_dynamodb_leaves_unprocessed_are_written_again_alone() {
    let left = json!({ "UnprocessedItems": { "t": [
        { "PutRequest": { "Item": { "path": { "S": "a/2" }, "code": { "S": "2" } } } },
    ] } });
    let throttled = error(400, "ProvisionedThroughputExceededException", "slow down");
    let script = Script::new()
        .on("BatchGetItem", [json(found(&[]))])
        .on("BatchWriteItem", [json(left), throttled, json(json!({}))])
        .start();
    block_on(async {
        let mut puts = (0..5).map(|i| Put {
            key: format!("a/{i}"),
            body: Body::Bytes(i.to_string().into()),
        });
        let store = table(&script).await;
        store.put_many(&mut puts, &|_, _| ()).await.expect("stored");
    });
    let calls: Vec<Vec<String>> = script
        .calls_of("BatchWriteItem")
        .iter()
        .map(|call| written(&call.json()))
        .collect();
    assert_eq!(calls[0], ["a/0", "a/1", "a/2", "a/3", "a/4"]);
    assert!(
        calls.len() >= 3 && calls[1..].iter().all(|keys| *keys == ["a/2"]),
        "{calls:?}"
    );
}

#[test]
fn keys_that_dynamodb_leaves_unprocessed_are_read_again_alone() {
    let mut first = found(&[("a/1", "one")]);
    first["UnprocessedKeys"] = json!({ "t": { "Keys": [{ "path": { "S": "a/2" } }], "ConsistentRead": true } });
    let script = Script::new()
        .on("BatchGetItem", [json(first), json(found(&[("a/2", "two")]))])
        .start();
    let keys = ["a/1", "a/2", "a/3"].map(str::to_owned);
    let values = block_on(async { table(&script).await.get_many(&keys).await }).expect("values");
    assert_eq!(values, [Some(Bytes::from("one")), Some(Bytes::from("two")), None]);
    let calls = script.calls_of("BatchGetItem");
    assert_eq!(
        calls[1].json()["RequestItems"]["t"]["Keys"],
        json!([{ "path": { "S": "a/2" } }])
    );
    assert!(
        calls
            .iter()
            .all(|call| call.json()["RequestItems"]["t"]["ConsistentRead"] == true)
    );
}

#[test]
fn a_conditional_write_whose_answer_was_lost_is_settled_by_reading_again() {
    // The first try arrived, its answer did not, and the SDK's second try was refused for it.
    let refused = || error(400, "ConditionalCheckFailedException", "The conditional request failed");
    let swap = |there: &str| {
        let script = Script::new()
            .on("PutItem", [connection_reset(), refused()])
            .on("BatchGetItem", [json(found(&[("a/m", there)]))])
            .start();
        block_on(async { table(&script).await.compare_and_set("a/m", None, "mine".into()).await }).expect("an answer")
    };
    assert!(matches!(swap("mine"), Swap::Done(_)));
    assert_eq!(swap("theirs"), Swap::Conflict);
}

#[test]
fn a_refusal_is_an_error_and_never_a_miss() {
    let script = Script::new()
        .on("BatchGetItem", [denied("dynamodb:BatchGetItem")])
        .on("GetObject", [denied("s3:GetObject")])
        .start();
    let key = ["a/1".to_owned()];
    block_on(async {
        let dynamodb = table(&script).await.get_many(&key).await.expect_err("refused");
        assert_eq!(dynamodb.kind, StoreErrorKind::Denied);
        let s3 = S3Store::new(aws(&script).await.s3().clone(), "b")
            .get_many(&key)
            .await
            .expect_err("refused");
        assert_eq!(s3.kind, StoreErrorKind::Denied);
        assert!(s3.hint().expect("a hint").contains("`s3:GetObject`"));
    });
}

#[test]
fn an_item_that_is_no_value_is_an_error() {
    let item = json!({ "Responses": { "t": [{ "path": { "S": "a/1" }, "other": { "S": "x" } }] } });
    let script = Script::new().on("BatchGetItem", [json(item)]).start();
    let read = block_on(async { table(&script).await.get_many(&["a/1".to_owned()]).await });
    let error = read.expect_err("no value");
    assert_eq!(
        (error.kind, error.key.as_deref()),
        (StoreErrorKind::Corrupt, Some("a/1"))
    );
}
