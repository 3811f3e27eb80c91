//! The JSON form: one object a line on stdout, the last one a `result` or an `error`. `docs/json.md` describes it.

use rstack::event::Event;
use rstack::{Error, ErrorKind, Outcome};
use serde::Serialize;
use serde_json::{Value, json};

/// Raised when a consumer of version 1 would misread what is written.
const VERSION: u8 = 1;

#[derive(Serialize)]
struct Versioned<T> {
    v: u8,
    #[serde(flatten)]
    body: T,
}

/// `body` must serialise to an object; it becomes one line.
fn line(body: &impl Serialize) -> String {
    let mut line = serde_json::to_string(&Versioned { v: VERSION, body }).unwrap_or_else(|e| {
        format!(
            r#"{{"v":{VERSION},"type":"unserialisable","message":{:?}}}"#,
            e.to_string()
        )
    });
    line.push('\n');
    line
}

pub(super) fn event(event: &Event) -> String {
    line(event)
}

/// Data that comes before the end, such as one refresh of a watched status.
pub(super) fn data(kind: &'static str, data: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Data<'a, T> {
        r#type: &'static str,
        data: &'a T,
    }
    line(&Data { r#type: kind, data })
}

pub(super) fn result(command: &'static str, data: &impl Serialize, outcome: Outcome) -> String {
    #[derive(Serialize)]
    struct Ending<'a, T> {
        r#type: &'static str,
        command: &'static str,
        outcome: String,
        exit_code: u8,
        data: &'a T,
    }
    line(&Ending {
        r#type: "result",
        command,
        outcome: outcome.to_string(),
        exit_code: outcome.exit_code(),
        data,
    })
}

pub(super) fn error(error: &Error) -> String {
    let mut object = json!({
        "type": "error",
        "kind": kind(&error.kind),
        "message": error.to_string(),
        "exit_code": error.exit_code(),
    });
    if let Some(hint) = &error.hint {
        object["hint"] = json!(hint);
    }
    if !error.left.is_empty() {
        object["left"] = json!(error.left);
    }
    match &*error.kind {
        ErrorKind::Aws(aws) => {
            object["aws"] = json!({
                "service": aws.service,
                "action": aws.action,
                "kind": aws.kind,
                "code": aws.code,
                "request_id": aws.request_id,
            });
        }
        ErrorKind::Stack(failure) => object["stack"] = serde_json::to_value(failure).unwrap_or(Value::Null),
        _ => {}
    }
    line(&object)
}

/// The kind as a word that programs can compare.
fn kind(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage(_) => "usage",
        ErrorKind::Configuration(_) => "configuration",
        ErrorKind::Aws(_) => "aws",
        ErrorKind::NoEnvironment { .. } => "no_environment",
        ErrorKind::NoRelease { .. } => "no_release",
        ErrorKind::Refused(_) => "refused",
        ErrorKind::Declined => "declined",
        ErrorKind::Stack(_) => "stack",
        ErrorKind::LostContact(_) => "lost_contact",
        ErrorKind::Store { .. } => "store",
        ErrorKind::Untrusted(_) => "untrusted",
        ErrorKind::Local(_) => "local",
        ErrorKind::File { .. } => "file",
        ErrorKind::Interrupted(_) => "interrupted",
        ErrorKind::Unexpected(_) => "unexpected",
    }
}

#[cfg(test)]
mod tests;
