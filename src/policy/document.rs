//! What a policy consists of, in the order in which it is written.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::error::{Error, Result};

/// An identity-based policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    sid: &'static str,
    effect: Effect,
    action: Vec<&'static str>,
    resource: Vec<String>,
    /// Values by key, by operator; all have to hold.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: BTreeMap<&'static str, BTreeMap<&'static str, Values>>,
}

/// What a key is compared with. A single value stands without a list, as some readers of policies insist.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Values(Vec<String>);

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Effect {
    Allow,
    Deny,
}

impl Policy {
    pub(super) fn new(statement: Vec<Statement>) -> Self {
        Self {
            version: "2012-10-17",
            statement,
        }
    }

    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statement
    }

    /// The document as JSON that ends in a line feed.
    ///
    /// # Errors
    /// Never: all of it is text.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|e| Error::unexpected(format!("the policy cannot be written: {e}")))
    }
}

impl Statement {
    pub(super) fn allow(sid: &'static str, action: &[&'static str], resource: Vec<String>) -> Self {
        Self {
            sid,
            effect: Effect::Allow,
            action: action.to_vec(),
            resource,
            condition: BTreeMap::new(),
        }
    }

    pub(super) fn deny(sid: &'static str, action: &[&'static str], resource: Vec<String>) -> Self {
        Self {
            effect: Effect::Deny,
            ..Self::allow(sid, action, resource)
        }
    }

    pub(super) fn when(mut self, operator: &'static str, key: &'static str, values: Vec<String>) -> Self {
        self.condition.entry(operator).or_default().insert(key, Values(values));
        self
    }

    /// Only for items of DynamoDB whose partition key is like one of these. A request without a key never fits, which
    /// `ForAllValues` alone would let pass.
    pub(super) fn only_keys(self, keys: Vec<String>) -> Self {
        self.when("ForAllValues:StringLike", "dynamodb:LeadingKeys", keys).when(
            "Null",
            "dynamodb:LeadingKeys",
            vec!["false".to_owned()],
        )
    }

    /// Only what CloudFormation asks for on the caller's behalf.
    pub(super) fn through_cloudformation(self) -> Self {
        let service = vec!["cloudformation.amazonaws.com".to_owned()];
        self.when("ForAnyValue:StringEquals", "aws:CalledVia", service)
    }

    #[must_use]
    pub fn sid(&self) -> &'static str {
        self.sid
    }

    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// `s3:GetObject`.
    #[must_use]
    pub fn actions(&self) -> &[&'static str] {
        &self.action
    }

    #[must_use]
    pub fn resources(&self) -> &[String] {
        &self.resource
    }

    /// It allows only what CloudFormation does for the caller.
    #[must_use]
    pub fn is_through_cloudformation(&self) -> bool {
        self.condition.values().any(|keys| keys.contains_key("aws:CalledVia"))
    }
}
