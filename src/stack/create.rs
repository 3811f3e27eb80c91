//! Creating a stack that does not exist.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{
    self, Capability, DeploymentConfig, DeploymentConfigMode, OnFailure as SdkOnFailure, Parameter,
};

use super::outline::Outline;
use super::{OnFailure, Scope, Settled, Up, Watch, reason, tag, token, watch};
use crate::aws::{Aws, AwsError, Service};
use crate::error::{Error, Result};
use crate::event::{Event, Operation, OperationKind, Reporter};

/// An accepted creation.
pub(super) struct Creation {
    pub(super) id: String,
    token: String,
}

/// Asks for the stack; `None` when somebody else was faster, so that there is a stack to look at again.
pub(super) async fn start(aws: &Aws, wanted: &Up<'_>, reporter: &dyn Reporter) -> Result<Option<Creation>> {
    let token = token();
    let request = aws
        .cloudformation()
        .create_stack()
        .stack_name(wanted.name.as_str())
        .client_request_token(&token)
        .set_template_body(wanted.template.url.is_none().then(|| wanted.template.body.clone()))
        .set_template_url(wanted.template.url.clone())
        .set_parameters(Some(parameters(&wanted.parameters)))
        .set_capabilities(Some(capabilities(&wanted.capabilities)))
        .set_tags(Some(sdk_tags(&tags(aws, wanted))));
    let request = if wanted.express {
        request.deployment_config(express_config(wanted.on_failure))
    } else {
        request.on_failure(match wanted.on_failure {
            OnFailure::Rollback => SdkOnFailure::Rollback,
            OnFailure::Delete => SdkOnFailure::Delete,
            OnFailure::Keep => SdkOnFailure::DoNothing,
        })
    };
    let output = match request.send().await {
        Ok(output) => output,
        Err(error) => {
            let error = AwsError::new(Service::CloudFormation, "CreateStack", &error);
            if error.is("AlreadyExistsException") {
                return Ok(None);
            }
            return Err(refused(error));
        }
    };
    let id = output
        .stack_id()
        .ok_or_else(|| Error::unexpected("CloudFormation accepted a stack without giving its id"))?
        .to_owned();
    reporter.report(&Event::Operation(Operation {
        kind: OperationKind::Create,
        stack: wanted.name.to_string(),
        stack_id: id.clone(),
        resources: Outline::of(&wanted.template.body).resources,
        attached: false,
    }));
    Ok(Some(Creation { id, token }))
}

pub(super) async fn wait(aws: &Aws, wanted: &Up<'_>, creation: &Creation, watching: &Watch<'_>) -> Result<Settled> {
    let watching = Watch {
        deletes_on_failure: wanted.on_failure == OnFailure::Delete,
        ..*watching
    };
    watch(
        aws,
        &creation.id,
        OperationKind::Create,
        Scope::Token(creation.token.clone()),
        &watching,
    )
    .await
}

/// A refusal of the request itself, with a hint when the reason is a usual one.
pub(super) fn refused(error: AwsError) -> Error {
    let hint = reason::hint(&error.message);
    let mut error = Error::from(error);
    error.hint = error.hint.or(hint);
    error
}

/// The tags of a new environment.
fn tags(aws: &Aws, wanted: &Up<'_>) -> BTreeMap<String, String> {
    let mut tags = wanted.tags.clone();
    tags.insert(tag::ENVIRONMENT.to_owned(), wanted.name.to_string());
    tags.insert(tag::VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    if let Some(ttl) = wanted.ttl {
        tags.insert(tag::EXPIRES_AT.to_owned(), (aws.now() + ttl.length).to_string());
    }
    tags
}

pub(super) fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<types::Tag> {
    tags.iter()
        .map(|(key, value)| types::Tag::builder().key(key).value(value).build())
        .collect()
}

pub(super) fn parameters(parameters: &BTreeMap<String, String>) -> Vec<Parameter> {
    parameters
        .iter()
        .map(|(k, v)| Parameter::builder().parameter_key(k).parameter_value(v).build())
        .collect()
}

pub(super) fn capabilities(names: &[String]) -> Vec<Capability> {
    names.iter().map(|name| Capability::from(name.as_str())).collect()
}

/// EXPRESS has its own rollback setting, off by default; ours is the same as without EXPRESS.
pub(super) fn express_config(on_failure: OnFailure) -> DeploymentConfig {
    DeploymentConfig::builder()
        .mode(DeploymentConfigMode::Express)
        .disable_rollback(on_failure == OnFailure::Keep)
        .build()
}
