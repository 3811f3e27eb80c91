//! AWS Secrets Manager.

use serde::Serialize;

use super::intrinsic::Sub;
use super::resource::Handle;

/// `AWS::SecretsManager::Secret` with a generated value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Secret {
    pub description: &'static str,
    pub generate_secret_string: GenerateSecretString,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateSecretString {
    /// Characters.
    pub password_length: u32,
    pub exclude_punctuation: bool,
}

impl Handle<Secret> {
    /// A dynamic reference: CloudFormation puts the secret's value in while it makes the resource, and shows it nowhere.
    pub(super) fn value(&self) -> Sub {
        Sub::new()
            .text("{{resolve:secretsmanager:")
            .reference(&self.reference())
            .text(":SecretString}}")
    }
}
