//! What DynamoDB tells of a table.

use aws_sdk_dynamodb::types::TableDescription;
use serde::Deserialize;

use super::{Aws, AwsError, AwsErrorKind, Service};

/// A table, as far as rstack asks.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Table {
    /// Such as "ACTIVE".
    #[serde(rename = "TableStatus")]
    pub(crate) status: Option<String>,
    /// About how many; DynamoDB counts every few hours.
    #[serde(rename = "ItemCount")]
    pub(crate) items: Option<u64>,
    #[serde(rename = "TableSizeBytes")]
    pub(crate) bytes: Option<u64>,
    #[serde(rename = "DeletionProtectionEnabled")]
    pub(crate) deletion_protection: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    table: Table,
}

impl Table {
    /// Asks for a table; `None` when there is none.
    ///
    /// # Errors
    /// Whatever else keeps DynamoDB from answering.
    pub(crate) async fn describe(aws: &Aws, name: &str) -> Result<Option<Self>, AwsError> {
        let error = match aws.dynamodb().describe_table().table_name(name).send().await {
            Ok(answer) => return Ok(answer.table.map(Self::from)),
            Err(error) => error,
        };
        // The local AWS quotes the numbers that came by a template's parameter, which the SDK does not read.
        let unread = error.raw_response().filter(|response| response.status().is_success());
        if let Some(table) = read(unread.and_then(|response| response.body().bytes())) {
            return Ok(Some(table));
        }
        let error = AwsError::new(Service::DynamoDb, "DescribeTable", &error);
        if error.kind == AwsErrorKind::NotFound {
            Ok(None)
        } else {
            Err(error)
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.status.as_deref() == Some("ACTIVE")
    }
}

impl From<TableDescription> for Table {
    fn from(table: TableDescription) -> Self {
        let number = |number: Option<i64>| number.and_then(|number| number.try_into().ok());
        Self {
            status: table.table_status.map(|status| status.as_str().to_owned()),
            items: number(table.item_count),
            bytes: number(table.table_size_bytes),
            deletion_protection: table.deletion_protection_enabled.unwrap_or_default(),
        }
    }
}

fn read(body: Option<&[u8]>) -> Option<Table> {
    serde_json::from_slice::<Answer>(body?).ok().map(|answer| answer.table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_nobody_asks_for_may_be_anything() {
        let body =
            br#"{"Table":{"TableStatus":"ACTIVE","ItemCount":3,"ProvisionedThroughput":{"ReadCapacityUnits":"5"}}}"#;
        let table = read(Some(body)).expect("a table");
        assert_eq!((table.is_active(), table.items, table.bytes), (true, Some(3), None));
        assert!(read(Some(b"<a>")).is_none() && read(None).is_none());
    }
}
