//! What large values leave in a DynamoDB table: nothing, once they are overwritten or removed.

use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use bytes::Bytes;
use rstack::aws::Aws;
use rstack::store::{Body, DynamoDbStore, Put, Store};

use crate::support::{block_on, local};

#[test]
fn parts_go_with_the_value_they_belong_to() {
    let local = local::shared();
    block_on(async {
        let aws = local.aws().await;
        let name = local::unique("parts");
        create_table(&aws, &name).await;
        let store = DynamoDbStore::new(aws.dynamodb().clone(), &name);
        let put = async |size| {
            let body = Body::Bytes(Bytes::from(vec![7; size]));
            let put = Put {
                key: "a/k".to_owned(),
                body,
            };
            store
                .put_many(&mut [put].into_iter(), &|_, _| ())
                .await
                .expect("stored");
        };
        let items = async || {
            let scan = aws.dynamodb().scan().table_name(&name).send().await.expect("a scan");
            scan.items().len()
        };
        put(1_000_000).await;
        assert_eq!(items().await, 1 + 3);
        put(500_000).await;
        assert_eq!(items().await, 1 + 2);
        put(10).await;
        assert_eq!(items().await, 1);
        put(1_000_000).await;
        let (_, version) = store.get_versioned("a/k").await.expect("an answer").expect("a value");
        store
            .compare_and_set("a/k", None, vec![1; 900_000].into())
            .await
            .expect("refused");
        assert_eq!(items().await, 1 + 3, "a refused write leaves nothing");
        store
            .compare_and_set("a/k", Some(&version), vec![1; 500_000].into())
            .await
            .expect("done");
        assert_eq!(items().await, 1 + 2);
        store.delete_many(&["a/k".to_owned()]).await.expect("removed");
        assert_eq!(items().await, 0);
    });
}

/// A table as the article has it.
pub(crate) async fn create_table(aws: &Aws, name: &str) {
    let attribute = AttributeDefinition::builder()
        .attribute_name("path")
        .attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder()
        .attribute_name("path")
        .key_type(KeyType::Hash);
    aws.dynamodb()
        .create_table()
        .table_name(name)
        .attribute_definitions(attribute.build().expect("complete"))
        .key_schema(key.build().expect("complete"))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .expect("a table");
}
