//! Which resources an operator's policy is for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::stack::Resource;
use crate::template::Template;

/// A resource that a stack has or will have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub logical_id: String,
    pub resource_type: String,
    /// Its physical name; CloudFormation makes one up when it is not known.
    pub name: Option<String>,
}

/// The resources that a template of rstack's own makes with these parameters.
#[must_use]
pub fn wanted_by(template: &Template, parameters: &BTreeMap<String, String>) -> Vec<Wanted> {
    // A template is made of types that JSON can hold; one that were not would be found when it is printed.
    let document = serde_json::to_value(template).unwrap_or_default();
    let names = ["BucketName", "TableName", "ClusterName", "ReplicationGroupId"];
    let resources = document.get("Resources").and_then(Value::as_object);
    let resources = resources.into_iter().flatten();
    resources
        .map(|(logical_id, resource)| Wanted {
            logical_id: logical_id.clone(),
            resource_type: resource["Type"].as_str().unwrap_or_default().to_owned(),
            name: names
                .iter()
                .find_map(|name| text(&document, &resource["Properties"][*name], parameters)),
        })
        .collect()
}

/// The resources that a stack has.
#[must_use]
pub fn held_by(resources: &[Resource]) -> Vec<Wanted> {
    let wanted = resources.iter().map(|resource| Wanted {
        logical_id: resource.logical_id.clone(),
        resource_type: resource.resource_type.clone(),
        name: resource.physical_id.clone(),
    });
    wanted.collect()
}

/// A property that is text, or refers to a parameter.
fn text(document: &Value, property: &Value, parameters: &BTreeMap<String, String>) -> Option<String> {
    if let Some(text) = property.as_str() {
        return Some(text.to_owned());
    }
    let parameter = property.get("Ref")?.as_str()?;
    let default = || document["Parameters"][parameter]["Default"].as_str();
    let text = parameters.get(parameter).map(String::as_str).or_else(default);
    text.map(str::to_owned)
}
