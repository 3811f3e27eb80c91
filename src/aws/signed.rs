//! Signed requests for the few questions whose service's SDK would take longer to build than the rest of rstack.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_xml::decode::{Document, try_data};

use super::{Aws, AwsError, AwsErrorKind, Service};
use crate::underway::Underway;

const TIMEOUT: Duration = Duration::from_secs(30);

/// One call of a service's API.
#[derive(Debug)]
pub(super) struct Call {
    service: Service,
    action: &'static str,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Call {
    /// The Query protocol: a form in, XML out.
    pub(super) fn query(
        service: Service,
        version: &str,
        action: &'static str,
        parameters: &[(&'static str, &str)],
    ) -> Self {
        let encode = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        let mut body = format!("Action={action}&Version={version}");
        for (name, value) in parameters {
            let _ = write!(body, "&{}={}", encode(name), encode(value));
        }
        Self {
            service,
            action,
            headers: vec![(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
            )],
            body,
        }
    }

    /// The JSON 1.1 protocol. `target` is the service's prefix of the action in `X-Amz-Target`.
    pub(super) fn json(service: Service, target: &str, action: &'static str, body: &serde_json::Value) -> Self {
        Self {
            service,
            action,
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", format!("{target}.{action}")),
            ],
            body: body.to_string(),
        }
    }

    /// Sends it, again when that can help, and returns the answer's body.
    pub(super) async fn send(&self, aws: &Aws) -> Result<String, AwsError> {
        let mut pause = Duration::from_millis(200);
        for _ in 1..aws.attempts() {
            match tokio::time::timeout(TIMEOUT, self.attempt(aws)).await {
                Ok(Err(error)) if error.kind.is_transient() => {}
                Ok(done) => return done,
                Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        tokio::time::timeout(TIMEOUT, self.attempt(aws))
            .await
            .unwrap_or_else(|_| Err(self.error(AwsErrorKind::Timeout, "it took more than 30 seconds")))
    }

    async fn attempt(&self, aws: &Aws) -> Result<String, AwsError> {
        let _underway = Underway::begin(&self.service.to_string());
        let request = self.sign(aws).await?;
        let response = aws.connector().call(request).await.map_err(|error| {
            let kind = if error.is_timeout() {
                AwsErrorKind::Timeout
            } else {
                AwsErrorKind::Connection
            };
            self.error(kind, &innermost(&error))
        })?;
        let status = response.status();
        let request_id = ["x-amzn-requestid", "x-amz-request-id"]
            .iter()
            .find_map(|name| response.headers().get(*name))
            .map(str::to_owned);
        let body = ByteStream::new(response.into_body())
            .collect()
            .await
            .map_err(|error| self.error(AwsErrorKind::Connection, &innermost(&error)))?;
        let body = String::from_utf8_lossy(&body.into_bytes()).into_owned();
        if status.is_success() {
            return Ok(body);
        }
        let (code, message) = told(&body);
        let message = message.unwrap_or_else(|| format!("HTTP status {}", status.as_u16()));
        Err(AwsError::answered(
            self.service,
            self.action,
            status.as_u16(),
            code,
            message,
            request_id,
        ))
    }

    async fn sign(&self, aws: &Aws) -> Result<HttpRequest, AwsError> {
        let no_credentials = |reason: &str| self.error(AwsErrorKind::NoCredentials, reason);
        let provider = aws
            .config()
            .credentials_provider()
            .ok_or_else(|| no_credentials("no provider of credentials"))?;
        let identity = provider
            .provide_credentials()
            .await
            .map_err(|error| no_credentials(&innermost(&error)))?
            .into();
        let url = self.url(aws);
        let invalid = |error: &dyn std::fmt::Display| self.error(AwsErrorKind::Invalid, &error.to_string());
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(aws.region())
            .name(self.service.iam_prefix())
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|e| invalid(&e))?
            .into();
        let headers = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let signable = SignableRequest::new(
            "POST",
            url.as_str(),
            headers.clone(),
            SignableBody::Bytes(self.body.as_bytes()),
        )
        .map_err(|e| invalid(&e))?;
        let (instructions, _) = sign(signable, &parameters).map_err(|e| invalid(&e))?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(self.body.as_str()));
        request.set_method("POST").map_err(|e| invalid(&e))?;
        request.set_uri(url.as_str()).map_err(|e| invalid(&e))?;
        for (name, value) in headers.chain(instructions.headers()) {
            request.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        Ok(request)
    }

    fn url(&self, aws: &Aws) -> String {
        let url = aws.config().endpoint_url().map_or_else(
            || {
                let region = aws.region();
                let suffix = if region.starts_with("cn-") {
                    "amazonaws.com.cn"
                } else {
                    "amazonaws.com"
                };
                format!("https://{}.{region}.{suffix}", self.service.iam_prefix())
            },
            str::to_owned,
        );
        format!("{}/", url.trim_end_matches('/'))
    }

    fn error(&self, kind: AwsErrorKind, message: &str) -> AwsError {
        AwsError {
            service: self.service,
            action: self.action,
            kind,
            code: None,
            message: message.to_owned(),
            request_id: None,
        }
    }
}

/// The text of the first element of that name, anywhere in the document.
pub(super) fn element(xml: &str, name: &str) -> Option<String> {
    let mut document = Document::new(xml);
    while let Some(start) = document.next_start_element() {
        if start.local() == name {
            return try_data(&mut document).ok().map(std::borrow::Cow::into_owned);
        }
    }
    None
}

/// Code and message of an error, in whichever protocol.
fn told(body: &str) -> (Option<String>, Option<String>) {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(body) else {
        return (element(body, "Code"), element(body, "Message"));
    };
    let text = |key: &str| json.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    // The type may carry a namespace: "com.amazonaws.secretsmanager#ResourceNotFoundException".
    let code = text("__type").map(|code| code.rsplit('#').next().unwrap_or_default().to_owned());
    (code, text("message").or_else(|| text("Message")))
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |e| (*e).source())
        .last()
        .map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_both_protocols_are_read() {
        let xml = "<Response><Errors><Error><Code>InvalidGroup.NotFound</Code><Message>a &amp; b</Message></Error></Errors></Response>";
        assert_eq!(
            told(xml),
            (Some("InvalidGroup.NotFound".to_owned()), Some("a & b".to_owned()))
        );
        let json = r#"{"__type":"com.amazonaws#ResourceNotFoundException","Message":"no"}"#;
        assert_eq!(
            told(json),
            (Some("ResourceNotFoundException".to_owned()), Some("no".to_owned()))
        );
        assert_eq!(told("<html>502"), (None, None));
    }

    #[test]
    fn parameters_are_encoded() {
        let call = Call::query(
            Service::Ec2,
            "2016-11-15",
            "DescribeVpcs",
            &[("Filter.1.Name", "is default&x")],
        );
        assert_eq!(
            call.body,
            "Action=DescribeVpcs&Version=2016-11-15&Filter%2E1%2EName=is%20default%26x"
        );
    }
}
