//! The questions to Secrets Manager, which holds Redis's AUTH token.

use serde_json::{Value, json};

use super::signed::Call;
use super::{Aws, AwsError, AwsErrorKind, Service};

const TARGET: &str = "secretsmanager";

impl Aws {
    /// The secret string with this ARN or name. It must not be shown or logged.
    pub async fn secret(&self, id: &str) -> Result<String, AwsError> {
        let call = Call::json(
            Service::SecretsManager,
            TARGET,
            "GetSecretValue",
            &json!({ "SecretId": id }),
        );
        let answer: Value = serde_json::from_str(&call.send(self).await?).unwrap_or_default();
        match answer.get("SecretString").and_then(Value::as_str) {
            Some(secret) => Ok(secret.to_owned()),
            None => Err(AwsError {
                service: Service::SecretsManager,
                action: "GetSecretValue",
                kind: AwsErrorKind::Other,
                code: None,
                message: "the secret has no text".to_owned(),
                request_id: None,
            }),
        }
    }

    /// Whether the secret exists; one that only waits for the end of its recovery window does not.
    pub async fn secret_exists(&self, id: &str) -> Result<bool, AwsError> {
        let call = Call::json(
            Service::SecretsManager,
            TARGET,
            "DescribeSecret",
            &json!({ "SecretId": id }),
        );
        match call.send(self).await {
            Ok(answer) => {
                let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
                Ok(answer.get("DeletedDate").is_none_or(Value::is_null))
            }
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
