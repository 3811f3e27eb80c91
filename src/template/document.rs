//! A whole template and what it is written as.

use serde::Serialize;

use super::entries::Entries;
use super::intrinsic::{Condition, If, Ref, Text, Value};
use super::resource::{Handle, Properties, Resource};
use super::yaml;
use crate::error::{Error, Result};

/// Sections in CloudFormation's usual order, entries in the order in which they were added: the same calls give the
/// same bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Template {
    #[serde(rename = "AWSTemplateFormatVersion")]
    format_version: &'static str,
    description: &'static str,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    parameters: Entries<Parameter>,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    conditions: Entries<Condition>,
    resources: Entries<Resource>,
    outputs: Entries<Output>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Yaml,
    Json,
}

/// What whoever makes the stack may choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parameter {
    pub r#type: ParameterType,
    pub description: &'static str,
    pub default: ParameterDefault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ParameterType {
    String,
    Number,
    CommaDelimitedList,
    #[serde(rename = "AWS::EC2::AvailabilityZone::Name")]
    AvailabilityZone,
}

/// A number stays one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ParameterDefault {
    Text(&'static str),
    Number(u32),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    description: &'static str,
    value: Text,
}

/// A condition that has been added.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConditionHandle(&'static str);

impl ConditionHandle {
    /// `value` where the condition holds; otherwise the property is as if it were not there.
    pub(super) fn then<T>(self, value: impl Into<Value<T>>) -> Value<T> {
        If::or_absent(self.0, value.into()).into()
    }
}

impl Template {
    pub(super) fn new(description: &'static str) -> Self {
        Self {
            format_version: "2010-09-09",
            description,
            parameters: Entries::default(),
            conditions: Entries::default(),
            resources: Entries::default(),
            outputs: Entries::default(),
        }
    }

    pub(super) fn parameter(&mut self, name: &'static str, parameter: Parameter) -> Ref {
        self.parameters.add(name, parameter);
        Ref::to(name)
    }

    pub(super) fn condition(&mut self, name: &'static str, condition: Condition) -> ConditionHandle {
        self.conditions.add(name, condition);
        ConditionHandle(name)
    }

    pub(super) fn resource<P>(&mut self, id: &'static str, properties: P) -> Handle<P>
    where
        Properties: From<P>,
    {
        self.resources.add(id, Resource::new(properties.into()));
        Handle::new(id)
    }

    pub(super) fn output(&mut self, key: &'static str, description: &'static str, value: impl Into<Text>) {
        let value = value.into();
        self.outputs.add(key, Output { description, value });
    }

    /// Logical ids and types, in the order of the document.
    pub fn resources(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.resources.iter().map(|(id, resource)| (id, resource.type_name()))
    }

    /// The document as text that ends in a line feed.
    ///
    /// # Errors
    /// Never for the presets; the writers could refuse types that no template has.
    pub fn to_text(&self, format: Format) -> Result<String> {
        match format {
            Format::Yaml => self.to_yaml(),
            Format::Json => self.to_json(),
        }
    }

    /// As [`Template::to_text`].
    pub fn to_yaml(&self) -> Result<String> {
        serde_json::to_value(self)
            .map(|document| yaml::write(&document))
            .map_err(|e| unwritable(&e))
    }

    /// As [`Template::to_text`].
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|e| unwritable(&e))
    }
}

fn unwritable(error: &serde_json::Error) -> Error {
    Error::unexpected(format!("the template cannot be written: {error}"))
}
