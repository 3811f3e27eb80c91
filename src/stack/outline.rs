//! What a template's text names, as far as rstack must know it: the template itself is sent as it is.

use std::collections::BTreeSet;

use serde_yaml::Value;

use crate::event::PlannedResource;

/// Resources and parameters by name. Empty for a text that cannot be read here: the service judges templates.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) resources: Vec<PlannedResource>,
    pub(super) parameters: BTreeSet<String>,
}

impl Outline {
    /// Reads YAML or JSON (which is YAML too), short forms such as `!Ref` included.
    pub(super) fn of(template: &str) -> Self {
        let Ok(document) = serde_yaml::from_str::<Value>(template) else {
            return Self::default();
        };
        let section = |name: &str| document.get(name).and_then(Value::as_mapping).into_iter().flatten();
        Self {
            resources: section("Resources")
                .filter_map(|(name, resource)| {
                    Some(PlannedResource {
                        logical_id: name.as_str()?.to_owned(),
                        resource_type: resource.get("Type")?.as_str()?.to_owned(),
                    })
                })
                .collect(),
            parameters: section("Parameters")
                .filter_map(|(name, _)| name.as_str().map(str::to_owned))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_short_forms_and_json() {
        let yaml = "Parameters:\n  Zone: {Type: String}\nResources:\n  Bucket:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: !Sub '${Zone}-x'\n";
        let json = r#"{"Parameters": {"Zone": {}}, "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}"#;
        for template in [yaml, json] {
            let outline = Outline::of(template);
            assert_eq!(outline.parameters.iter().collect::<Vec<_>>(), ["Zone"]);
            assert_eq!(outline.resources.len(), 1);
            assert_eq!(outline.resources[0].resource_type, "AWS::S3::Bucket");
        }
        assert_eq!(Outline::of("{{ not a template"), Outline::default());
        assert_eq!(Outline::of("just text"), Outline::default());
    }
}
