//! One log line for every attempt of a request: what was asked, how it ended, how long it took. Never what was sent or
//! received, which may hold secrets. And a note of it, for whoever counts requests.

use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use crate::traffic;
use crate::underway::Underway;

#[derive(Debug)]
pub(super) struct RequestLog;

/// Travels with the request.
#[derive(Debug)]
struct Attempt {
    began: Instant,
    /// In bytes.
    sends: u64,
    underway: Underway,
}

impl Storable for Attempt {
    type Storer = StoreReplace<Self>;
}

impl Intercept for RequestLog {
    fn name(&self) -> &'static str {
        "RequestLog"
    }

    fn read_before_attempt(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let sends = context.request().body().content_length().unwrap_or(0);
        let attempt = Attempt {
            began: Instant::now(),
            sends,
            underway: Underway::begin(config.load::<Metadata>().map_or("AWS", Metadata::service)),
        };
        config.interceptor_state().store_put(attempt);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (service, operation) = config
            .load::<Metadata>()
            .map_or(("", ""), |request| (request.service(), request.name()));
        let Some(attempt) = config.load::<Attempt>() else {
            return Ok(());
        };
        attempt.underway.end();
        let milliseconds = attempt.began.elapsed().as_secs_f64() * 1000.0;
        // Absent when no answer came.
        let status = context.response().map(|response| response.status().as_u16());
        tracing::debug!(service, operation, status, milliseconds, "request");
        let length = |headers: &Headers| headers.get("content-length")?.parse().ok();
        let received = context.response().and_then(|response| length(response.headers()));
        traffic::note(attempt.began, attempt.sends, received.unwrap_or(0));
        Ok(())
    }
}
