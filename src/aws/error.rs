//! One function turns any SDK error into ours: the SDK's own text is only "service error".

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde::Serialize;

use super::permission::permissions;
use super::profile::ProfileError;

/// What to do when a service says that there is enough of something already.
pub(crate) const LIMIT_REACHED: &str = "a limit of the account is reached: remove what is not needed (`rstack gc` removes \
                                        expired environments), or ask for more under Service Quotas";

/// The AWS services that rstack talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    CloudFormation,
    S3,
    DynamoDb,
    ElastiCache,
    Ec2,
    SecretsManager,
    Sts,
}

impl Service {
    /// The prefix of its actions in IAM policies, which is also the name that requests are signed for.
    #[must_use]
    pub fn iam_prefix(self) -> &'static str {
        match self {
            Self::CloudFormation => "cloudformation",
            Self::S3 => "s3",
            Self::DynamoDb => "dynamodb",
            Self::ElastiCache => "elasticache",
            Self::Ec2 => "ec2",
            Self::SecretsManager => "secretsmanager",
            Self::Sts => "sts",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CloudFormation => "CloudFormation",
            Self::S3 => "S3",
            Self::DynamoDb => "DynamoDB",
            Self::ElastiCache => "ElastiCache",
            Self::Ec2 => "EC2",
            Self::SecretsManager => "Secrets Manager",
            Self::Sts => "STS",
        })
    }
}

/// What an AWS call failed of, as far as it changes what rstack does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AwsErrorKind {
    NoCredentials,
    /// The credentials exist, but have expired or are not accepted.
    BadCredentials,
    /// The caller may not do this.
    Denied,
    /// Too many requests; the SDK's own retries were used up.
    Throttled,
    NotFound,
    /// A condition on a write did not hold.
    Precondition,
    /// The request itself was refused as wrong.
    Invalid,
    /// No answer: refused, reset, unknown host, cut off.
    Connection,
    Timeout,
    /// The service failed (5xx).
    Unavailable,
    /// It answered, and not as this service does.
    Unreadable,
    Other,
}

impl AwsErrorKind {
    /// Asking again later may work.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Throttled | Self::Connection | Self::Timeout | Self::Unavailable
        )
    }
}

/// An AWS call that failed: which one, how, and what the service said.
#[derive(Debug, Clone, thiserror::Error)]
pub struct AwsError {
    pub service: Service,
    /// The API operation: "CreateStack". [`permissions`] tells what IAM calls it.
    pub action: &'static str,
    pub kind: AwsErrorKind,
    /// The service's error code; absent when no answer came.
    pub code: Option<String>,
    pub message: String,
    pub request_id: Option<String>,
}

impl AwsError {
    pub fn new<E>(service: Service, action: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let (status, request_id) = match error.raw_response() {
            Some(response) => (
                Some(response.status().as_u16()),
                ["x-amzn-requestid", "x-amz-request-id"]
                    .iter()
                    .find_map(|name| response.headers().get(*name))
                    .map(str::to_owned),
            ),
            None => (None, None),
        };
        let code = error
            .as_service_error()
            .and_then(|e| e.meta().code())
            .map(str::to_owned);
        let kind = match error {
            SdkError::TimeoutError(_) => AwsErrorKind::Timeout,
            SdkError::DispatchFailure(failure) => {
                if has_credentials_error(error) {
                    AwsErrorKind::NoCredentials
                } else if failure.is_timeout() {
                    AwsErrorKind::Timeout
                } else {
                    AwsErrorKind::Connection
                }
            }
            SdkError::ConstructionFailure(_) if has_credentials_error(error) => AwsErrorKind::NoCredentials,
            SdkError::ConstructionFailure(_) => AwsErrorKind::Invalid,
            SdkError::ServiceError(_) if code.is_none() && status.is_some_and(|s| s < 300) => AwsErrorKind::Unreadable,
            SdkError::ResponseError(_) if status.is_some_and(|s| s < 500) => AwsErrorKind::Unreadable,
            SdkError::ResponseError(_) => AwsErrorKind::Unavailable,
            _ => kind_of(code.as_deref(), status),
        };
        let message = if kind == AwsErrorKind::NoCredentials {
            // Of the usual places each has its own reason; only a profile that was named has one that helps.
            let profile = chain(error).find_map(|e| e.downcast_ref::<ProfileError>());
            profile.map_or_else(String::new, ToString::to_string)
        } else {
            error
                .as_service_error()
                .and_then(|e| e.meta().message())
                .filter(|m| !m.is_empty())
                .map_or_else(|| innermost(error, status), str::to_owned)
        };
        Self {
            service,
            action,
            kind,
            code,
            message,
            request_id,
        }
    }

    /// An error answer that no SDK has read.
    pub(super) fn answered(
        service: Service,
        action: &'static str,
        status: u16,
        code: Option<String>,
        message: String,
        request_id: Option<String>,
    ) -> Self {
        let kind = kind_of(code.as_deref(), Some(status));
        Self {
            service,
            action,
            kind,
            code,
            message,
            request_id,
        }
    }

    /// Whether the service's error code is `code`.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// The request was refused for its time, which is signed as well.
    fn is_clock(&self) -> bool {
        self.is("RequestTimeTooSkewed")
            || ["Signature expired", "Signature not yet current"]
                .iter()
                .any(|text| self.message.starts_with(text))
    }

    /// "LimitExceeded", "VpcLimitExceeded", "ServiceQuotaExceededException", …
    fn is_limit(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        let reached = ["Limit", "Quota"].iter().any(|what| code.contains(what)) && code.contains("Exceeded");
        reached || code == "TooManyBuckets"
    }

    /// The way out, where there is a usual one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self.kind {
            AwsErrorKind::NoCredentials if !self.message.is_empty() => {
                "`aws configure list-profiles` names the profiles there are; `aws sso login --profile …` opens one again"
                    .to_owned()
            }
            AwsErrorKind::NoCredentials => {
                "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run `aws configure` or \
                 `aws sso login`, or add `--local` to use the AWS on this machine"
                    .to_owned()
            }
            AwsErrorKind::BadCredentials if self.is_clock() => {
                "set the clock of this machine; AWS refuses requests that are minutes off".to_owned()
            }
            AwsErrorKind::BadCredentials => {
                "get fresh credentials (`aws sso login`, or a new session token) and run the same command again"
                    .to_owned()
            }
            AwsErrorKind::Denied => {
                let prefix = self.service.iam_prefix();
                let actions: Vec<_> = permissions(self.service, self.action)
                    .iter()
                    .map(|action| format!("`{prefix}:{action}`"))
                    .collect();
                let noun = if actions.len() == 1 { "action" } else { "actions" };
                format!(
                    "allow the {noun} {} for this identity, or use another one with `--profile` or `--role-arn`",
                    actions.join(" and ")
                )
            }
            AwsErrorKind::Throttled => {
                "AWS allows only so many calls a second; wait a moment and run the same command again".to_owned()
            }
            AwsErrorKind::Unavailable => {
                "the fault lies with the service, or with a proxy before it; wait a moment and run the same command again"
                    .to_owned()
            }
            AwsErrorKind::Unreadable => {
                "something else than AWS answers there; check `--endpoint-url` and the proxy (HTTPS_PROXY, NO_PROXY)"
                    .to_owned()
            }
            AwsErrorKind::Connection | AwsErrorKind::Timeout => {
                "check the network, the proxy (HTTPS_PROXY, NO_PROXY), the region and `--endpoint-url`".to_owned()
            }
            _ if self.is_limit() => LIMIT_REACHED.to_owned(),
            _ => return None,
        };
        Some(hint)
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.service, self.action)?;
        match (&self.kind, &self.code) {
            (AwsErrorKind::NoCredentials, _) => {
                f.write_str(": no AWS credentials were found")?;
                return if self.message.is_empty() {
                    Ok(())
                } else {
                    write!(f, "; {}", self.message)
                };
            }
            (_, Some(code)) => write!(f, " was refused with {code}: {}", self.message)?,
            (AwsErrorKind::Connection, None) => write!(f, " got no answer: {}", self.message)?,
            (AwsErrorKind::Timeout, None) => write!(f, " got no answer in time: {}", self.message)?,
            (_, None) => write!(f, " failed: {}", self.message)?,
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

fn kind_of(code: Option<&str>, status: Option<u16>) -> AwsErrorKind {
    match code.unwrap_or_default() {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "Forbidden" => AwsErrorKind::Denied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "AuthFailure"
        | "InvalidToken"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => AwsErrorKind::BadCredentials,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "TooManyRequestsException"
        | "ProvisionedThroughputExceededException"
        | "RequestThrottled" => AwsErrorKind::Throttled,
        "NoSuchKey" | "NoSuchBucket" | "NoSuchUpload" => AwsErrorKind::NotFound,
        "PreconditionFailed" | "ConditionalCheckFailedException" | "ConditionalRequestConflict" => {
            AwsErrorKind::Precondition
        }
        "ValidationError" | "ValidationException" => AwsErrorKind::Invalid,
        "RequestTimeout" => AwsErrorKind::Timeout,
        code if ["NotFound", "NotFoundFault", "NotFoundException"]
            .iter()
            .any(|end| code.ends_with(end)) =>
        {
            AwsErrorKind::NotFound
        }
        _ => match status {
            Some(403) => AwsErrorKind::Denied,
            Some(404) => AwsErrorKind::NotFound,
            Some(412) => AwsErrorKind::Precondition,
            Some(429) => AwsErrorKind::Throttled,
            Some(500..) => AwsErrorKind::Unavailable,
            _ => AwsErrorKind::Other,
        },
    }
}

fn has_credentials_error(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|e| e.downcast_ref::<CredentialsError>().is_some())
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |e| (*e).source())
}

/// The most telling text of an error that carries no message of the service: its innermost cause.
fn innermost<E>(error: &SdkError<E, HttpResponse>, status: Option<u16>) -> String
where
    E: StdError + 'static,
{
    let cause = || chain(error).last().map_or_else(String::new, ToString::to_string);
    match (status, error) {
        (Some(..300), _) => format!("its answer cannot be read: {}", cause()),
        // As answers to HEAD have no body, they tell nothing but the status.
        (Some(status), SdkError::ServiceError(_)) => format!("HTTP status {status}"),
        (Some(status), _) => format!("HTTP status {status}, {}", cause()),
        (None, _) => cause(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_reached_has_a_way_out_whichever_service_says_so() {
        let hint = |service, code: &str| {
            let message = "the maximum number is reached".to_owned();
            AwsError::answered(service, "Create", 400, Some(code.to_owned()), message, None).hint()
        };
        for (service, code) in [
            (Service::Ec2, "VpcLimitExceeded"),
            (Service::Ec2, "SecurityGroupLimitExceeded"),
            (Service::CloudFormation, "LimitExceededException"),
            (Service::S3, "TooManyBuckets"),
            (Service::ElastiCache, "ClusterQuotaForCustomerExceeded"),
        ] {
            assert_eq!(hint(service, code).as_deref(), Some(LIMIT_REACHED), "{code}");
        }
        assert!(hint(Service::Ec2, "RequestLimitExceeded").is_some_and(|hint| hint.contains("calls a second")));
    }
}
