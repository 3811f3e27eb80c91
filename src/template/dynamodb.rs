//! Amazon DynamoDB.

use serde::Serialize;

use super::intrinsic::{Text, Value};

/// `AWS::DynamoDB::Table`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Table {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_name: Option<Text>,
    attribute_definitions: [AttributeDefinition; 1],
    key_schema: [KeySchema; 1],
    billing_mode: BillingMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    provisioned_throughput: Option<Throughput>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeDefinition {
    attribute_name: &'static str,
    attribute_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeySchema {
    attribute_name: &'static str,
    key_type: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum BillingMode {
    PayPerRequest,
    Provisioned,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Throughput {
    pub read_capacity_units: Value<u32>,
    pub write_capacity_units: Value<u32>,
}

impl Table {
    /// A table whose only key is the text `path`; paid by request, or for the throughput given.
    pub(super) fn keyed_by_path(table_name: Option<Text>, throughput: Option<Throughput>) -> Self {
        const KEY: &str = "path";
        Self {
            table_name,
            attribute_definitions: [AttributeDefinition {
                attribute_name: KEY,
                attribute_type: "S",
            }],
            key_schema: [KeySchema {
                attribute_name: KEY,
                key_type: "HASH",
            }],
            billing_mode: if throughput.is_some() {
                BillingMode::Provisioned
            } else {
                BillingMode::PayPerRequest
            },
            provisioned_throughput: throughput,
        }
    }
}
