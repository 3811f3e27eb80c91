//! Conditional writes.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use bytes::Bytes;

use super::DynamoDbStore;
use super::item::{self, CODE, Item, PARTS, PATH, Written};
use crate::aws::{AwsError, AwsErrorKind, Service};
use crate::store::interface::{Mark, settle};
use crate::store::{StoreResult, Swap, Version};

impl DynamoDbStore {
    pub(super) async fn versioned(&self, key: &str) -> StoreResult<Option<(Bytes, Version)>> {
        let found = self.read_settled(key).await?;
        Ok(found.map(|(value, item)| {
            let version = version(&item, &value);
            (value, version)
        }))
    }

    pub(super) async fn swap(&self, key: &str, expected: Option<&Version>, new: Bytes) -> StoreResult<Swap> {
        let (head, parts) = match item::write(key, &new) {
            Written::Whole(item) => (item, Vec::new()),
            Written::Split { head, parts } => (head, parts),
        };
        let names = item::parts_of(&head);
        let done = version(&head, &new);
        self.table.put_parts(&parts).await?;
        match self.put_if(head, expected).await {
            Ok(before) => {
                self.drop_parts(before.iter()).await?;
                Ok(Swap::Done(done))
            }
            Err(error) if error.kind == AwsErrorKind::Precondition || error.kind.is_transient() => {
                match settle(self, key, &new).await {
                    Ok(Swap::Done(version)) => Ok(Swap::Done(version)),
                    Ok(Swap::Conflict) if error.kind == AwsErrorKind::Precondition => {
                        self.table.delete(&names).await?;
                        Ok(Swap::Conflict)
                    }
                    // The write may yet arrive, so its parts stay.
                    _ => Err(self.table.refused(&error).at(key)),
                }
            }
            Err(error) => Err(self.table.refused(&error).at(key)),
        }
    }

    /// Puts an item if the key holds what is expected, and returns the one it replaced.
    async fn put_if(&self, head: Item, expected: Option<&Version>) -> Result<Option<Item>, AwsError> {
        let put = self
            .table
            .client
            .put_item()
            .table_name(&self.table.name)
            .set_item(Some(head))
            .return_values(ReturnValue::AllOld);
        let put = match expected {
            None => put
                .condition_expression("attribute_not_exists(#path)")
                .expression_attribute_names("#path", PATH),
            Some(Version(Mark::Content(value))) => put
                .condition_expression("#code = :held")
                .expression_attribute_names("#code", CODE)
                .expression_attribute_values(":held", item::code(value)),
            Some(Version(Mark::Tag(names))) => put
                .condition_expression("#parts = :held")
                .expression_attribute_names("#parts", PARTS)
                .expression_attribute_values(":held", names_to_attribute(names)),
        };
        match put.send().await {
            Ok(output) => Ok(output.attributes),
            Err(error) => Err(AwsError::new(Service::DynamoDb, "PutItem", &error)),
        }
    }
}

/// A whole value is its own version; a split one's are the names of its parts, which no other write has.
fn version(item: &Item, value: &Bytes) -> Version {
    let names = item::parts_of(item);
    if names.is_empty() {
        Version::content(value.clone())
    } else {
        Version::tag(names.join("\n"))
    }
}

fn names_to_attribute(names: &str) -> AttributeValue {
    AttributeValue::L(
        names
            .split('\n')
            .map(|name| AttributeValue::S(name.to_owned()))
            .collect(),
    )
}
