//! The keys of `rstack.yaml` outside `stores`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::scalar::{self, Consistent};
use super::stores::Stores;
use crate::stack::{OnFailure, StackName};
use crate::template::Preset;
use crate::trust::PublicKey;

/// The file's content. Unknown keys are errors, so that a misspelt one is not silently ignored; every value is checked
/// where it stands, so that the error names line and column.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "keys with values")]
pub struct Config {
    /// The environment's name.
    #[serde(deserialize_with = "scalar::stack_name")]
    pub name: Option<StackName>,
    pub target: Option<TargetName>,
    #[serde(deserialize_with = "scalar::region")]
    pub region: Option<String>,
    #[serde(deserialize_with = "scalar::filled")]
    pub profile: Option<String>,
    #[serde(deserialize_with = "scalar::endpoint_url")]
    pub endpoint_url: Option<String>,
    #[serde(deserialize_with = "scalar::role_arn")]
    pub role_arn: Option<String>,
    /// How long the environment may live, counted from its creation.
    #[serde(deserialize_with = "scalar::duration")]
    pub ttl: Option<Duration>,
    /// How long a command watches a stack operation before it leaves it to AWS.
    #[serde(deserialize_with = "scalar::duration")]
    pub timeout: Option<Duration>,
    pub on_failure: Option<OnFailure>,
    /// Tags of the stack, beside rstack's own.
    #[serde(deserialize_with = "scalar::tags")]
    pub tags: BTreeMap<String, String>,
    #[serde(deserialize_with = "scalar::consistent")]
    pub template: TemplateSource,
    pub stores: Stores,
    pub seed: Seed,
    pub cache: Cache,
    /// File of the private key that moves are signed with, relative to the working directory.
    #[serde(deserialize_with = "scalar::path")]
    pub signing_key: Option<PathBuf>,
    /// Whose releases are taken; everyone's when there are none.
    #[serde(deserialize_with = "scalar::public_keys")]
    pub trusted_keys: Vec<PublicKey>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetName {
    Aws,
    Local,
}

/// Which template `up` sends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "keys with values")]
pub struct TemplateSource {
    /// One of rstack's own.
    pub preset: Option<Preset>,
    /// A template of one's own; relative to the working directory.
    #[serde(deserialize_with = "scalar::path")]
    pub file: Option<PathBuf>,
    #[serde(deserialize_with = "scalar::parameters")]
    pub parameters: BTreeMap<String, String>,
    /// Such as `CAPABILITY_IAM`.
    #[serde(deserialize_with = "scalar::capabilities")]
    pub capabilities: Vec<String>,
    /// Bucket for a template body too large to be sent with the request.
    #[serde(deserialize_with = "scalar::bucket_name")]
    pub bucket: Option<String>,
}

/// What `seed` publishes when it is not told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "keys with values")]
pub struct Seed {
    /// A directory, relative to the working directory; the demo scripts when absent.
    #[serde(deserialize_with = "scalar::path")]
    pub path: Option<PathBuf>,
    #[serde(deserialize_with = "scalar::area")]
    pub area: Option<String>,
}

/// What is kept on this machine of what was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "keys with values")]
pub struct Cache {
    /// How large it may become, in bytes.
    #[serde(deserialize_with = "scalar::size")]
    pub size: Option<u64>,
}

impl Consistent for TemplateSource {
    fn contradiction(&self) -> Option<&'static str> {
        (self.preset.is_some() && self.file.is_some()).then_some("`preset` and `file` contradict each other; keep one")
    }
}
