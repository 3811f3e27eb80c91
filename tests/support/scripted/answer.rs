//! Answers, and how each protocol writes them.

use std::time::Duration;

use serde_json::Value;
use wiremock::ResponseTemplate;

use super::call::{Call, Protocol};

/// Stands for the ClientRequestToken of the call that came last with one.
pub(super) const OUR_TOKEN: &str = "@TOKEN@";

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    content: Content,
    delay: Option<Duration>,
    headers: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
enum Content {
    /// Inside `<ActionResult>`; for EC2 inside `<ActionResponse>`.
    Query(String),
    /// A whole document.
    Xml(String),
    Json(Value),
    /// No body.
    Status(u16),
    Error {
        status: u16,
        code: String,
        message: String,
    },
    Reset,
}

/// Success without content, whatever the protocol.
pub(crate) fn ok() -> Answer {
    query("")
}

/// Inside the result element of a Query answer.
pub(crate) fn query(xml: impl Into<String>) -> Answer {
    Content::Query(xml.into()).into()
}

pub(crate) fn xml(document: impl Into<String>) -> Answer {
    Content::Xml(document.into()).into()
}

pub(crate) fn json(value: Value) -> Answer {
    Content::Json(value).into()
}

/// A bare HTTP status, as HEAD requests get it.
pub(crate) fn status(status: u16) -> Answer {
    Content::Status(status).into()
}

pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    Content::Error {
        status,
        code: code.to_owned(),
        message: message.to_owned(),
    }
    .into()
}

pub(crate) fn throttled() -> Answer {
    error(400, "Throttling", "Rate exceeded")
}

pub(crate) fn denied(action: &str) -> Answer {
    let message = format!("User: arn:aws:iam::123456789012:user/ci is not authorized to perform: {action}");
    error(403, "AccessDenied", &message)
}

/// The connection is cut without an answer.
pub(crate) fn connection_reset() -> Answer {
    Content::Reset.into()
}

impl From<Content> for Answer {
    fn from(content: Content) -> Self {
        Self {
            content,
            delay: None,
            headers: Vec::new(),
        }
    }
}

impl Answer {
    /// Lets the caller wait for it.
    pub(crate) fn delayed(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn resets(&self) -> bool {
        matches!(self.content, Content::Reset)
    }

    pub(super) fn fails(&self) -> bool {
        match &self.content {
            Content::Error { .. } | Content::Reset => true,
            Content::Status(status) => *status >= 400,
            Content::Query(_) | Content::Xml(_) | Content::Json(_) => false,
        }
    }

    pub(super) fn render(&self, call: &Call, token: Option<&str>) -> ResponseTemplate {
        let (status, body, mime) = match &self.content {
            Content::Status(status) => (*status, String::new(), "application/xml"),
            Content::Xml(document) => (200, document.clone(), "application/xml"),
            Content::Json(value) => (200, value.to_string(), "application/x-amz-json-1.0"),
            Content::Query(inner) => (200, success(call, inner), mime(call.protocol)),
            Content::Error { status, code, message } => (*status, failure(call, code, message), mime(call.protocol)),
            Content::Reset => unreachable!("a reset has no body"),
        };
        let body = body.replace(OUR_TOKEN, token.unwrap_or("nobody"));
        let mut template = ResponseTemplate::new(status).insert_header("x-amzn-requestid", "scripted-request");
        for (name, value) in &self.headers {
            template = template.insert_header(name.as_str(), value.as_str());
        }
        if !body.is_empty() {
            template = template.set_body_raw(body, mime);
        }
        match self.delay {
            Some(delay) => template.set_delay(delay),
            None => template,
        }
    }
}

fn mime(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Json => "application/x-amz-json-1.0",
        Protocol::Query | Protocol::Ec2 | Protocol::S3 => "text/xml",
    }
}

fn success(call: &Call, inner: &str) -> String {
    let action = &call.action;
    match call.protocol {
        Protocol::Query => format!(
            "<{action}Response><{action}Result>{inner}</{action}Result>\
             <ResponseMetadata><RequestId>scripted-request</RequestId></ResponseMetadata></{action}Response>"
        ),
        Protocol::Ec2 => {
            format!("<{action}Response><requestId>scripted-request</requestId>{inner}</{action}Response>")
        }
        Protocol::Json => "{}".to_owned(),
        Protocol::S3 => inner.to_owned(),
    }
}

fn failure(call: &Call, code: &str, message: &str) -> String {
    let message = escape(message);
    match call.protocol {
        Protocol::Query => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>scripted-request</RequestId></ErrorResponse>"
        ),
        Protocol::Ec2 => format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
             <RequestID>scripted-request</RequestID></Response>"
        ),
        Protocol::Json => {
            serde_json::json!({ "__type": format!("com.amazonaws#{code}"), "message": message }).to_string()
        }
        // A HEAD request's answer has no body; hyper leaves it out.
        Protocol::S3 => format!(
            "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>scripted-request</RequestId></Error>"
        ),
    }
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `<name>value</name>`, or nothing.
pub(super) fn element(name: &str, value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| wrap(name, &escape(value)))
}

/// An element around others.
pub(super) fn wrap(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}
