//! Bringing an existing stack up to date, through a change set that is shown before it runs.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{ChangeSetType, Parameter, TemplateStage};

use super::change::{self, ChangeSet};
use super::create::{capabilities, express_config, refused, sdk_tags};
use super::outline::Outline;
use super::{OnFailure, Stack, Up, Watch, tag, token};
use crate::aws::{Aws, AwsError, Service};
use crate::error::Result;
use crate::event::{Event, Operation, OperationKind};

/// Works out what would change; `None` when nothing would. The time to live of a stack that `is_new` counts from its
/// creation, whoever asks for it.
pub(super) async fn prepare(
    aws: &Aws,
    wanted: &Up<'_>,
    stack: &Stack,
    is_new: bool,
    watching: &Watch<'_>,
) -> Result<Option<ChangeSet>> {
    let tags = tags(aws, wanted, stack, is_new);
    if watching.reading(is_up_to_date(aws, wanted, stack, &tags)).await? {
        return Ok(None);
    }
    let request = aws
        .cloudformation()
        .create_change_set()
        .stack_name(&stack.id)
        .change_set_name(token())
        .change_set_type(ChangeSetType::Update)
        .set_template_body(wanted.template.url.is_none().then(|| wanted.template.body.clone()))
        .set_template_url(wanted.template.url.clone())
        .set_parameters(Some(parameters(wanted, stack)))
        .set_capabilities(Some(capabilities(&wanted.capabilities)))
        .set_tags(Some(sdk_tags(&tags)))
        .set_deployment_config(wanted.express.then(|| express_config(wanted.on_failure)));
    let creating = async {
        let sent = request.send().await;
        sent.map_err(|e| refused(AwsError::new(Service::CloudFormation, "CreateChangeSet", &e)))
    };
    let output = watching.requesting(creating).await?;
    let id = output.id().unwrap_or_default();
    let ready = change::ready(aws, id, watching.interrupt).await;
    if !matches!(ready, Ok(Some(_))) {
        change::discard(aws, id).await;
    }
    ready.map(|change| {
        change.map(|change| ChangeSet {
            tags: change::of_tags(&stack.tags, &tags),
            ..change
        })
    })
}

/// Shows the change, and executes it when it is approved; the token of the operation, or `None` when the stack has
/// changed meanwhile and must be looked at again.
pub(super) async fn start(
    aws: &Aws,
    wanted: &Up<'_>,
    stack: &Stack,
    change: &ChangeSet,
    watching: &Watch<'_>,
) -> Result<Option<String>> {
    watching.reporter.report(&Event::Changes(change.clone()));
    if let Err(error) = (wanted.approve)(change) {
        change::discard(aws, &change.id).await;
        return Err(error);
    }
    let token = token();
    let request = aws
        .cloudformation()
        .execute_change_set()
        .change_set_name(&change.id)
        .client_request_token(&token)
        .set_disable_rollback((!wanted.express && wanted.on_failure == OnFailure::Keep).then_some(true));
    let sent = watching.requesting(async { Ok(request.send().await) }).await?;
    if let Err(error) = sent {
        let error = AwsError::new(Service::CloudFormation, "ExecuteChangeSet", &error);
        change::discard(aws, &change.id).await;
        if error.is("InvalidChangeSetStatus") || error.is("ChangeSetNotFound") {
            return Ok(None);
        }
        return Err(refused(error));
    }
    watching.reporter.report(&Event::Operation(Operation {
        kind: OperationKind::Update,
        stack: stack.name.clone(),
        stack_id: stack.id.clone(),
        resources: Outline::of(&wanted.template.body).resources,
        attached: false,
    }));
    Ok(Some(token))
}

/// Template, parameters and tags are what they should be, so that not even a change set is needed.
async fn is_up_to_date(aws: &Aws, wanted: &Up<'_>, stack: &Stack, tags: &BTreeMap<String, String>) -> Result<bool> {
    let same_values = wanted
        .parameters
        .iter()
        .all(|(name, value)| stack.parameters.get(name) == Some(value));
    if !same_values || stack.tags != *tags {
        return Ok(false);
    }
    let output = aws
        .cloudformation()
        .get_template()
        .stack_name(&stack.id)
        .template_stage(TemplateStage::Original)
        .send()
        .await
        .map_err(|e| AwsError::new(Service::CloudFormation, "GetTemplate", &e))?;
    Ok(output.template_body() == Some(wanted.template.body.as_str()))
}

/// The tags that the stack should have: those that it has and nobody names stay, as parameters do. Another version of
/// rstack alone is no change; a time to live counts from creation and is renewed only when that is asked for.
fn tags(aws: &Aws, wanted: &Up<'_>, stack: &Stack, is_new: bool) -> BTreeMap<String, String> {
    let mut tags = stack.tags.clone();
    tags.extend(wanted.tags.clone());
    tags.insert(tag::ENVIRONMENT.to_owned(), wanted.name.to_string());
    let expires_at = match (wanted.ttl, stack.tags.get(tag::EXPIRES_AT)) {
        (Some(ttl), _) if ttl.explicit && !is_new => Some((aws.now() + ttl.length).to_string()),
        (_, Some(kept)) => Some(kept.clone()),
        (Some(ttl), None) => Some((stack.created + ttl.length).to_string()),
        (None, None) => None,
    };
    tags.extend(expires_at.map(|time| (tag::EXPIRES_AT.to_owned(), time)));
    tags
}

/// The values given, and for the template's other parameters the values that the stack has.
fn parameters(wanted: &Up<'_>, stack: &Stack) -> Vec<Parameter> {
    let declared = Outline::of(&wanted.template.body).parameters;
    let kept = stack
        .parameters
        .keys()
        .filter(|name| !wanted.parameters.contains_key(*name) && declared.contains(*name))
        .map(|name| {
            Parameter::builder()
                .parameter_key(name)
                .use_previous_value(true)
                .build()
        });
    super::create::parameters(&wanted.parameters)
        .into_iter()
        .chain(kept)
        .collect()
}
