//! `rstack.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The file's content. Unknown keys are errors, so that a misspelt one is not silently ignored.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub name: Option<String>,
    pub target: Option<TargetName>,
    pub region: Option<String>,
    pub profile: Option<String>,
    pub role_arn: Option<String>,
    /// Such as "8h"; see `humantime`.
    pub ttl: Option<String>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetName {
    Aws,
    Local,
}

impl Config {
    pub(crate) fn target_is_local(&self) -> bool {
        self.target == Some(TargetName::Local)
    }
}
