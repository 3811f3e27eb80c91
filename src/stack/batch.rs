//! Deleting up to 1,000 versions of objects with one request, and what that left.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use serde::Serialize;

use super::versions::Version;
use crate::aws::{AwsError, AwsErrorKind, Service};

/// A service that is overwhelmed gets this many further chances, each after a longer pause.
const ATTEMPTS: u32 = 6;

/// A version that S3 would not delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undeleted {
    pub key: String,
    pub version: Option<String>,
    pub code: String,
    pub message: String,
}

impl Undeleted {
    pub(super) fn is(&self, version: &Version) -> bool {
        self.key == version.key && (self.version.is_none() || self.version == version.id)
    }
}

/// Where and how to delete.
#[derive(Debug, Clone)]
pub(super) struct Deleter {
    pub(super) s3: Client,
    pub(super) bucket: String,
    /// Delete what Object Lock holds in governance mode too.
    pub(super) bypass_governance: bool,
}

impl Deleter {
    /// Deletes the versions; returns those that would not go.
    pub(super) async fn delete(&self, versions: &[Version]) -> Result<Vec<Undeleted>, AwsError> {
        let (mut open, odd): (Vec<_>, Vec<_>) = versions.iter().partition(|v| fits_xml(&v.key));
        let mut undeleted = Vec::new();
        for version in odd {
            undeleted.extend(self.delete_one(version).await?);
        }
        let mut pause = Duration::from_millis(200);
        for attempt in 1..=ATTEMPTS {
            if open.is_empty() {
                break;
            }
            let refused = match self.request(&open).await {
                Ok(refused) => refused,
                Err(error) if error.kind.is_transient() && attempt < ATTEMPTS => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    continue;
                }
                Err(error) if error.kind == AwsErrorKind::NotFound => break,
                Err(error) => return Err(error),
            };
            let (again, lasting): (Vec<_>, Vec<_>) = refused.into_iter().partition(|u| passes(&u.code));
            undeleted.extend(lasting.into_iter().filter(|u| !is_gone(&u.code)));
            if attempt == ATTEMPTS {
                undeleted.extend(again);
                break;
            }
            open.retain(|version| again.iter().any(|u| u.is(version)));
            if !open.is_empty() {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        Ok(undeleted)
    }

    /// One DeleteObjects; returns what it reports as not deleted.
    async fn request(&self, versions: &[&Version]) -> Result<Vec<Undeleted>, AwsError> {
        let invalid = |e: aws_sdk_s3::error::BuildError| AwsError {
            service: Service::S3,
            action: "DeleteObjects",
            kind: AwsErrorKind::Invalid,
            code: None,
            message: e.to_string(),
            request_id: None,
        };
        let objects = versions
            .iter()
            .map(|v| {
                ObjectIdentifier::builder()
                    .key(&v.key)
                    .set_version_id(v.id.clone())
                    .build()
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(invalid)?;
        let delete = Delete::builder()
            .set_objects(Some(objects))
            .quiet(true)
            .build()
            .map_err(invalid)?;
        let answer = self
            .s3
            .delete_objects()
            .bucket(&self.bucket)
            .delete(delete)
            .set_bypass_governance_retention(self.bypass_governance.then_some(true))
            .send()
            .await
            .map_err(|e| AwsError::new(Service::S3, "DeleteObjects", &e))?;
        let told = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Ok(answer
            .errors()
            .iter()
            .map(|e| Undeleted {
                key: told(e.key()),
                version: e.version_id().filter(|id| !id.is_empty()).map(str::to_owned),
                code: told(e.code()),
                message: told(e.message()),
            })
            .collect())
    }

    /// For keys that XML cannot hold.
    async fn delete_one(&self, version: &Version) -> Result<Option<Undeleted>, AwsError> {
        let answer = self
            .s3
            .delete_object()
            .bucket(&self.bucket)
            .key(&version.key)
            .set_version_id(version.id.clone())
            .set_bypass_governance_retention(self.bypass_governance.then_some(true))
            .send()
            .await;
        let Err(error) = answer else { return Ok(None) };
        let error = AwsError::new(Service::S3, "DeleteObject", &error);
        match error.kind {
            AwsErrorKind::NotFound => Ok(None),
            _ if error.kind.is_transient() => Err(error),
            _ => Ok(Some(Undeleted {
                key: version.key.clone(),
                version: version.id.clone(),
                code: error.code.unwrap_or_default(),
                message: error.message,
            })),
        }
    }
}

/// XML 1.0 has no way to write most control characters, not even escaped.
fn fits_xml(key: &str) -> bool {
    key.chars()
        .all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..))
}

/// Asking again for this key may work.
fn passes(code: &str) -> bool {
    matches!(
        code,
        "SlowDown" | "InternalError" | "ServiceUnavailable" | "OperationAborted"
    )
}

fn is_gone(code: &str) -> bool {
    matches!(code, "NoSuchKey" | "NoSuchVersion")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_xml_cannot_hold_go_one_by_one() {
        for key in ["a", "a b\n\t\r", "é", "\u{10ffff}", "<&>\"'"] {
            assert!(fits_xml(key), "{key:?}");
        }
        for key in ["\u{1}", "a\u{0}", "\u{1f}", "\u{ffff}"] {
            assert!(!fits_xml(key), "{key:?}");
        }
    }
}
