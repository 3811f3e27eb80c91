//! AWS as a script: what no emulator shows (paging, throttling, a stale read, ROLLBACK_FAILED), answered over
//! loopback HTTP to the real binary. A test reads as a story:
//!
//! ```ignore
//! let aws = Script::new()
//!     .on("DescribeStacks", [stack("demo", "CREATE_COMPLETE").environment()])
//!     .on("DeleteStack", [throttled(), ok()])
//!     .after("DeleteStack")
//!     .on("DescribeStacks", [stack("demo", "DELETE_IN_PROGRESS"), stack("demo", "DELETE_COMPLETE")])
//!     .start();
//! ```
//!
//! The answers of an action are given in turn, the last one again and again. `after` begins a part of the story that
//! holds once that call was answered without an error. A call that the script does not know fails the test.

mod answer;
mod call;
mod cloudformation;
mod s3;
mod services;

use std::sync::{Arc, Mutex, MutexGuard};

use super::Rstack;
use wiremock::{Match, Mock, MockServer, Request, Respond, ResponseTemplate};

pub(crate) use answer::{Answer, connection_reset, denied, error, json, ok, query, status, throttled, xml};
pub(crate) use call::Call;
pub(crate) use cloudformation::{
    EventAnswer, change, change_set, event, events, imports, operation_events, resource, resources, stack, stack_event,
    stack_id, stacks, stacks_page, template,
};
pub(crate) use s3::{deleted, multipart_uploads, object_versions, version};
pub(crate) use services::{cache_cluster, ec2, replication_group, table};

/// What will be answered.
#[derive(Default)]
pub(crate) struct Script {
    parts: Vec<Part>,
}

/// A stretch of the story, with its own answers.
#[derive(Default)]
struct Part {
    /// The call that begins it; none for the opening.
    begins_after: Option<String>,
    lines: Vec<Line>,
}

struct Line {
    action: String,
    answers: Vec<Answer>,
    given: usize,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self {
            parts: vec![Part::default()],
        }
    }

    /// Answers `action` with these in turn; the last one is repeated. Replaces what was said of it before.
    pub(crate) fn on<A: Into<Answer>>(mut self, action: &str, answers: impl IntoIterator<Item = A>) -> Self {
        let answers: Vec<_> = answers.into_iter().map(Into::into).collect();
        assert!(!answers.is_empty(), "no answer for {action}");
        self.parts.last_mut().expect("the opening").lines.push(Line {
            action: action.to_owned(),
            answers,
            given: 0,
        });
        self
    }

    /// What follows holds once `action` has been answered without an error (after the part before has begun).
    pub(crate) fn after(mut self, action: &str) -> Self {
        self.parts.push(Part {
            begins_after: Some(action.to_owned()),
            lines: Vec::new(),
        });
        self
    }

    /// Listens on a free loopback port until the returned value is dropped.
    pub(crate) fn start(self) -> Scripted {
        let stage = Arc::new(Stage(Mutex::new(State {
            parts: self.parts,
            begun: 1,
            calls: Vec::new(),
            unknown: Vec::new(),
            token: None,
            next: None,
        })));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            // wiremock asks the matcher and the responder of one request under one lock, so the answer chosen by the
            // first is the one given by the second.
            Mock::given(Resets(stage.clone()))
                .respond_with_err(|_: &Request| std::io::Error::from(std::io::ErrorKind::ConnectionReset))
                .with_priority(1)
                .mount(&server)
                .await;
            Mock::given(wiremock::matchers::any())
                .respond_with(Answers(stage.clone()))
                .mount(&server)
                .await;
            server
        });
        Scripted {
            server,
            stage,
            _runtime: runtime,
        }
    }
}

/// A running script.
pub(crate) struct Scripted {
    server: MockServer,
    stage: Arc<Stage>,
    _runtime: tokio::runtime::Runtime,
}

impl Scripted {
    /// For `--endpoint-url`.
    pub(crate) fn endpoint(&self) -> String {
        self.server.uri()
    }

    /// A call of the binary against it.
    pub(crate) fn rstack<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Rstack {
        Rstack::new().endpoint(self.endpoint()).args(args)
    }

    /// Every call so far, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.stage.lock().calls.clone()
    }

    /// The calls of one action, in order.
    pub(crate) fn calls_of(&self, action: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.action == action).collect()
    }

    pub(crate) fn count(&self, action: &str) -> usize {
        self.calls_of(action).len()
    }

    /// The names of the actions called, in order, repetitions in a row taken together.
    pub(crate) fn story(&self) -> Vec<String> {
        let mut actions: Vec<_> = self.calls().into_iter().map(|call| call.action).collect();
        actions.dedup();
        actions
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let unknown = std::mem::take(&mut self.stage.lock().unknown);
        assert!(
            unknown.is_empty() || std::thread::panicking(),
            "calls that the script does not know: {unknown:?}"
        );
    }
}

struct Stage(Mutex<State>);

struct State {
    parts: Vec<Part>,
    /// How many parts have begun.
    begun: usize,
    calls: Vec<Call>,
    unknown: Vec<String>,
    /// The last ClientRequestToken that a call brought: events carry it unless they say otherwise.
    token: Option<String>,
    next: Option<ResponseTemplate>,
}

impl Stage {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    /// Records the call and chooses its answer.
    fn answer(&mut self, request: &Request) -> Answer {
        let call = Call::read(request);
        if let Some(token) = call.parameters.get("ClientRequestToken") {
            self.token = Some(token.clone());
        }
        let found = self.parts[..self.begun]
            .iter_mut()
            .rev()
            .flat_map(|part| part.lines.iter_mut().rev())
            .find(|line| line.action == call.action);
        let answer = if let Some(line) = found {
            let answer = line.answers[line.given.min(line.answers.len() - 1)].clone();
            line.given += 1;
            answer
        } else {
            self.unknown.push(call.action.clone());
            error(
                400,
                "NotScripted",
                &format!("the script has no answer for {}", call.action),
            )
        };
        let next = self.parts.get(self.begun).and_then(|part| part.begins_after.as_deref());
        if next == Some(&call.action) && !answer.fails() {
            self.begun += 1;
        }
        self.next = (!answer.resets()).then(|| answer.render(&call, self.token.as_deref()));
        self.calls.push(call);
        answer
    }
}

/// Decides the answer of a request; matches those whose connection is to be cut.
struct Resets(Arc<Stage>);

impl Match for Resets {
    fn matches(&self, request: &Request) -> bool {
        self.0.lock().answer(request).resets()
    }
}

struct Answers(Arc<Stage>);

impl Respond for Answers {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        self.0.lock().next.take().expect("decided before")
    }
}

/// An endpoint at which nobody listens.
pub(crate) fn refused_endpoint() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("bound"))
}
