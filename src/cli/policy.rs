//! `rstack policy`.

use clap::{Args as ClapArgs, ValueEnum};
use rstack::aws::Aws;
use rstack::event::{Event, Reporter as _};
use rstack::policy::{self, Areas, Holdings, Operator, Place, Policy, Wanted};
use rstack::publish::Area;
use rstack::stack::{self, Stack, StackName, output_key};
use rstack::template::Preset;
use rstack::{Error, Outcome, Result};
use serde::Serialize;

use super::Context;

/// Print a least-privilege IAM policy for those who read, publish to, or run an environment
///
/// A reader imports and looks at what is published; a publisher seeds areas, `prod` only when told; an operator runs
/// `up`, `status` and `down` for environments of that name. Combine them by attaching several. No IAM policy guards
/// what Redis holds: who can connect can read and write it.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// For whom
    #[arg(value_enum)]
    role: Role,
    /// Only this area (repeatable); of readers and publishers
    #[arg(long = "area", value_name = "AREA")]
    areas: Vec<Area>,
    /// Let a publisher of all areas publish to `prod` as well
    #[arg(long, conflicts_with = "areas")]
    allow_prod: bool,
}

const AFTER_HELP: &str = "\
stdout: the policy, as JSON for `aws iam create-policy --policy-document`. Nothing is changed in AWS.

Examples:
  rstack policy reader -n demo --area prod
  rstack policy publisher -n demo > publisher.json
  rstack policy operator -n demo              also before the environment exists

Exit codes: 0 printed, 1 there is no such environment, 2 usage or configuration";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    /// Reads files and releases
    Reader,
    /// Publishes, and reads
    Publisher,
    /// Brings the environment up, looks at it, takes it down
    Operator,
}

#[derive(Debug, Serialize)]
struct Report {
    role: Role,
    name: String,
    policy: Policy,
}

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        self.check()?;
        let name = context.settings.require_name()?;
        let aws = context.until_interrupted(context.aws()).await?;
        let found = context.until_interrupted(stack::describe(&aws, name.as_str())).await?;
        let policy = match (self.role, found) {
            (Role::Operator, found) => {
                let work = operator(context, &aws, name, found.as_ref());
                context.until_interrupted(work).await?
            }
            (_, None) => return Err(context.no_environment(name, &aws)),
            (Role::Reader, Some(stack)) => policy::reader(&holdings(&stack, &place(&stack, &aws)?)?, &self.areas()),
            (Role::Publisher, Some(stack)) => {
                policy::publisher(&holdings(&stack, &place(&stack, &aws)?)?, &self.areas())
            }
        };
        let text = policy.to_json()?;
        let report = Report {
            role: self.role,
            name: name.to_string(),
            policy,
        };
        context.ui.finish("policy", &report, Outcome::Done, |_| text);
        Ok(Outcome::Done)
    }

    fn check(&self) -> Result<()> {
        if self.role == Role::Operator && !self.areas.is_empty() {
            return Err(Error::usage(
                "`--area` is for readers and publishers: an operator takes the whole environment down",
            )
            .with_hint("leave it out"));
        }
        if self.role != Role::Publisher && self.allow_prod {
            return Err(Error::usage("`--allow-prod` is for publishers").with_hint("leave it out"));
        }
        Ok(())
    }

    fn areas(&self) -> Areas {
        match self.role {
            _ if !self.areas.is_empty() => Areas::Only(self.areas.clone()),
            Role::Publisher if !self.allow_prod => Areas::AllButProduction,
            _ => Areas::All,
        }
    }
}

fn place(stack: &Stack, aws: &Aws) -> Result<Place> {
    Place::of_arn(&stack.id, aws.region())
}

fn holdings<'a>(stack: &'a Stack, place: &'a Place) -> Result<Holdings<'a>> {
    // Says which outputs are missing.
    stack.outputs.endpoints()?;
    let output = |key| stack.outputs.get(key);
    Ok(Holdings {
        place,
        stack: &stack.name,
        bucket: output(output_key::BUCKET).unwrap_or_default(),
        table: output(output_key::TABLE).unwrap_or_default(),
        secret: output(output_key::REDIS_AUTH_SECRET),
    })
}

/// For what the stack has and what `up` would make of it next.
async fn operator(context: &Context<'_>, aws: &Aws, name: &StackName, found: Option<&Stack>) -> Result<Policy> {
    let mut wanted = wanted(context);
    let place = match found {
        Some(stack) => {
            wanted.extend(policy::held_by(&stack::describe_resources(aws, &stack.id).await?));
            place(stack, aws)?
        }
        None => Place::of_arn(&aws.caller().await?, aws.region())?,
    };
    let uncovered = policy::uncovered(&wanted);
    if !uncovered.is_empty() {
        context.ui.report(&Event::Warning {
            message: format!("the policy does not cover {}", uncovered.join(", ")),
            hint: Some(
                "add what CloudFormation needs for them: rstack knows the types of its own templates".to_owned(),
            ),
        });
    }
    Ok(policy::operator(&Operator {
        place: &place,
        stack: name.as_str(),
        wanted: &wanted,
        template_bucket: context.settings.config.template.bucket.as_deref(),
    }))
}

fn wanted(context: &Context<'_>) -> Vec<Wanted> {
    let source = &context.settings.config.template;
    if source.file.is_some() {
        return Vec::new();
    }
    let preset: Preset = source.preset.unwrap_or_default();
    policy::wanted_by(&preset.template(&context.settings.config.stores), &source.parameters)
}
