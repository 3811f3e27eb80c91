//! What a stack's deletion leaves standing: the template's DeletionPolicy, and how one is set afterwards.

use std::collections::BTreeSet;

use serde_yaml::{Mapping, Value};

use crate::error::{Error, Result};

/// The resources of a template, and which of them its deletion keeps.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Policies {
    kept: BTreeSet<String>,
}

impl Policies {
    /// Reads YAML or JSON.
    ///
    /// # Errors
    /// A template that cannot be read: what it keeps would then be emptied.
    pub(super) fn of(template: &str) -> Result<Self> {
        let document = parse(template)?;
        let kept = resources(&document)
            .filter(|(_, resource)| resource.get("DeletionPolicy").is_some_and(keeps))
            .map(|(name, _)| name.to_owned())
            .collect();
        Ok(Self { kept })
    }

    pub(super) fn keep(&self, logical_id: &str) -> bool {
        self.kept.contains(logical_id)
    }
}

/// Anything but a plain "Delete": a snapshot or a condition is no leave to empty a bucket.
fn keeps(policy: &Value) -> bool {
    policy.as_str() != Some("Delete")
}

/// The template with `DeletionPolicy: Retain` on these resources. CloudFormation takes no notice of a policy that
/// changes alone, so each gets a line of metadata as well.
///
/// # Errors
/// A template that cannot be read or written.
pub(super) fn retaining(template: &str, names: &[String]) -> Result<String> {
    let mut document = parse(template)?;
    for name in names {
        let resource = document
            .get_mut("Resources")
            .and_then(|resources| resources.get_mut(name.as_str()))
            .and_then(Value::as_mapping_mut);
        let Some(resource) = resource else { continue };
        resource.insert("DeletionPolicy".into(), "Retain".into());
        let metadata = resource
            .entry("Metadata".into())
            .or_insert_with(|| Value::Mapping(Mapping::new()));
        if let Some(metadata) = metadata.as_mapping_mut() {
            metadata.insert("rstack:retained".into(), true.into());
        }
    }
    serde_yaml::to_string(&document).map_err(|e| Error::unexpected(format!("the template cannot be written: {e}")))
}

fn parse(template: &str) -> Result<Value> {
    serde_yaml::from_str(template).map_err(|e| {
        Error::refused(format!("the stack's template cannot be read: {e}"))
            .with_hint("without it nobody can tell which resources must be kept; delete the stack by other means")
    })
}

fn resources(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    document
        .get("Resources")
        .and_then(Value::as_mapping)
        .into_iter()
        .flatten()
        .filter_map(|(name, resource)| Some((name.as_str()?, resource)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "\
Resources:
  Kept: {Type: 'AWS::S3::Bucket', DeletionPolicy: Retain}
  OnCreate: {Type: 'AWS::S3::Bucket', DeletionPolicy: RetainExceptOnCreate}
  Computed:
    Type: AWS::S3::Bucket
    DeletionPolicy: !If [Prod, Retain, Delete]
  Gone: {Type: 'AWS::S3::Bucket', DeletionPolicy: Delete}
  Plain:
    Type: AWS::S3::Bucket
    Metadata: {note: yes please}
    Properties: {BucketName: !Sub '${AWS::StackName}-x'}
";

    #[test]
    fn policies_are_read_from_yaml_and_json() {
        let policies = Policies::of(TEMPLATE).expect("readable");
        let kept: Vec<_> = ["Kept", "OnCreate", "Computed", "Gone", "Plain"]
            .map(|n| policies.keep(n))
            .into();
        assert_eq!(kept, [true, true, true, false, false]);
        let json = r#"{"Resources": {"A": {"Type": "T", "DeletionPolicy": "Retain"}}}"#;
        assert!(Policies::of(json).expect("readable").keep("A"));
        assert!(Policies::of("{{").is_err());
    }

    #[test]
    fn retaining_sets_policy_and_metadata_and_leaves_the_rest() {
        let text = retaining(TEMPLATE, &["Plain".to_owned()]).expect("written");
        let policies = Policies::of(&text).expect("readable");
        assert!(policies.keep("Plain") && policies.keep("Kept") && !policies.keep("Gone"));
        assert!(
            text.contains("rstack:retained: true") && text.contains("note: yes please"),
            "{text}"
        );
        assert!(
            text.contains("!Sub '${AWS::StackName}-x'") || text.contains("!Sub ${AWS::StackName}-x"),
            "{text}"
        );
    }
}
