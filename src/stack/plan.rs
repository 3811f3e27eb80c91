//! What taking a stack down would remove, and what stands in the way.

use std::fmt;

use futures_util::future::try_join_all;
use serde::Serialize;

use super::contents::{self, BucketContents, Depth, TableContents};
use super::inventory::{Holding, inventory};
use super::{Stack, StackName, StackStatus, describe};
use crate::aws::{Aws, AwsCommand, AwsError, Service};
use crate::error::{Error, Result};

/// What to take down, and how.
#[derive(Debug, Clone, Copy)]
pub struct Down<'a> {
    pub name: &'a StackName,
    /// Bypass Object Lock's governance mode; delete the stack even when resources of it will not go.
    pub force: bool,
    /// Logical ids of resources to leave standing.
    pub retain: &'a [String],
    /// Also a stack that rstack did not make.
    pub any_stack: bool,
}

/// What would go.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    pub name: StackName,
    pub stack: Stack,
    pub resources: Vec<Planned>,
    /// Why `down` refuses; empty when it can go on.
    pub obstacles: Vec<Obstacle>,
    /// For [`Obstacle::way_out`].
    #[serde(skip)]
    pub aws: AwsCommand,
}

/// A resource, and what would be lost with it.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    #[serde(flatten)]
    pub holding: Holding,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Contents {
    Bucket(BucketContents),
    Table(TableContents),
}

/// What must be cleared away by a person first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Obstacle {
    NotOurs {
        stack: String,
    },
    UnknownResource {
        name: String,
        known: Vec<String>,
    },
    TerminationProtection {
        stack: String,
    },
    ImportedExport {
        export: String,
        importers: Vec<String>,
    },
    TableProtection {
        table: String,
    },
    LegalHolds {
        bucket: String,
        versions: u64,
    },
    ComplianceLock {
        bucket: String,
        versions: u64,
        until: Option<crate::time::Timestamp>,
    },
    GovernanceLock {
        bucket: String,
        versions: u64,
    },
}

/// Looks at everything, changes nothing; `None` when there is no such stack.
///
/// # Errors
/// When AWS refuses or cannot be reached.
pub async fn plan(aws: &Aws, down: &Down<'_>, depth: Depth) -> Result<Option<Plan>> {
    let stack = describe(aws, down.name.as_str()).await?;
    let Some(stack) = stack.filter(|stack| stack.status != StackStatus::DeleteComplete) else {
        return Ok(None);
    };
    let (holdings, imported) = tokio::join!(inventory(aws, &stack.id, down.retain), imported(aws, &stack));
    let looks = holdings?.into_iter().map(async |holding| {
        let contents = Box::pin(look_into(aws, &holding, depth)).await?;
        Ok::<_, Error>(Planned { holding, contents })
    });
    let resources = try_join_all(looks).await?;
    let mut obstacles = obstacles(&stack, &resources, down);
    obstacles.extend(imported?);
    Ok(Some(Plan {
        name: down.name.clone(),
        stack,
        resources,
        obstacles,
        aws: aws.command(),
    }))
}

async fn look_into(aws: &Aws, holding: &Holding, depth: Depth) -> Result<Option<Contents>> {
    if holding.kept.is_some() {
        return Ok(None);
    }
    Ok(match holding.resource_type.as_str() {
        "AWS::S3::Bucket" => Box::pin(contents::of_bucket(aws, &holding.physical_id, depth))
            .await?
            .map(Contents::Bucket),
        "AWS::DynamoDB::Table" => contents::of_table(aws, &holding.physical_id)
            .await?
            .map(Contents::Table),
        _ => None,
    })
}

fn obstacles(stack: &Stack, resources: &[Planned], down: &Down<'_>) -> Vec<Obstacle> {
    let mut found = Vec::new();
    if !stack.is_environment() && !down.any_stack {
        found.push(Obstacle::NotOurs {
            stack: stack.name.clone(),
        });
    }
    for name in down.retain {
        if !resources.iter().any(|r| r.holding.logical_id == *name) {
            found.push(Obstacle::UnknownResource {
                name: name.clone(),
                known: resources.iter().map(|r| r.holding.logical_id.clone()).collect(),
            });
        }
    }
    if stack.termination_protection {
        found.push(Obstacle::TerminationProtection {
            stack: stack.name.clone(),
        });
    }
    for resource in resources {
        let name = resource.holding.physical_id.clone();
        match &resource.contents {
            Some(Contents::Table(table)) if table.deletion_protection => {
                found.push(Obstacle::TableProtection { table: name });
            }
            Some(Contents::Bucket(bucket)) => found.extend(locks(&name, bucket, down.force)),
            _ => {}
        }
    }
    found
}

fn locks(bucket: &str, contents: &BucketContents, force: bool) -> Vec<Obstacle> {
    let locks = &contents.locks;
    let bucket = || bucket.to_owned();
    let mut found = Vec::new();
    if locks.legal_holds > 0 {
        found.push(Obstacle::LegalHolds {
            bucket: bucket(),
            versions: locks.legal_holds,
        });
    }
    if locks.compliance > 0 {
        found.push(Obstacle::ComplianceLock {
            bucket: bucket(),
            versions: locks.compliance,
            until: locks.until,
        });
    }
    if locks.governance > 0 && !force {
        found.push(Obstacle::GovernanceLock {
            bucket: bucket(),
            versions: locks.governance,
        });
    }
    found
}

/// Exports of the stack that other stacks import.
pub(super) async fn imported(aws: &Aws, stack: &Stack) -> Result<Vec<Obstacle>> {
    let mut found = Vec::new();
    for export in &stack.exports {
        let importers = importers(aws, export).await?;
        if !importers.is_empty() {
            found.push(Obstacle::ImportedExport {
                export: export.clone(),
                importers,
            });
        }
    }
    Ok(found)
}

/// The stacks that import an export; the service calls it an error when there are none.
async fn importers(aws: &Aws, export: &str) -> Result<Vec<String>> {
    let mut pages = aws
        .cloudformation()
        .list_imports()
        .export_name(export)
        .into_paginator()
        .items()
        .send();
    let mut found = Vec::new();
    while let Some(importer) = pages.next().await {
        match importer {
            Ok(importer) => found.push(importer),
            Err(error) => {
                let error = AwsError::new(Service::CloudFormation, "ListImports", &error);
                if error.is("ValidationError") {
                    break;
                }
                return Err(error.into());
            }
        }
    }
    Ok(found)
}

impl Plan {
    /// # Errors
    /// The first obstacle with its way out, the others named behind it.
    pub fn check(&self) -> Result<()> {
        let Some((first, rest)) = self.obstacles.split_first() else {
            return Ok(());
        };
        let message = rest
            .iter()
            .fold(first.to_string(), |all, next| format!("{all}; {next}"));
        Err(match first {
            Obstacle::UnknownResource { .. } => Error::usage(message),
            _ => Error::refused(message),
        }
        .with_hint(first.way_out(&self.aws)))
    }
}

impl Obstacle {
    /// What a person can do about it; `aws` makes the commands that this takes.
    #[must_use]
    pub fn way_out(&self, aws: &AwsCommand) -> String {
        match self {
            Self::NotOurs { stack } => format!(
                "it lacks the tag `rstack:environment`; if `{stack}` is really the one to delete, add `--any-stack`"
            ),
            Self::UnknownResource { known, .. } => format!("its resources are {}", known.join(", ")),
            Self::TerminationProtection { stack } => format!(
                "run `{}` first",
                aws.line(&format!(
                    "cloudformation update-termination-protection --no-enable-termination-protection --stack-name {stack}"
                ))
            ),
            Self::ImportedExport { importers, .. } => {
                format!("delete or change the importing stacks first: {}", importers.join(", "))
            }
            Self::TableProtection { table } => format!(
                "run `{}` first, or keep the table with `--retain`",
                aws.line(&format!(
                    "dynamodb update-table --table-name {table} --no-deletion-protection-enabled"
                ))
            ),
            Self::LegalHolds { bucket, .. } => format!(
                "lift each with `{}`, or keep the bucket with `--retain`",
                aws.line(&format!(
                    "s3api put-object-legal-hold --legal-hold Status=OFF --bucket {bucket} --key KEY --version-id ID"
                ))
            ),
            Self::ComplianceLock { .. } => {
                "nobody can delete them earlier; keep the bucket with `--retain`, or wait".to_owned()
            }
            Self::GovernanceLock { .. } => {
                "`--force` deletes them (with `s3:BypassGovernanceRetention`), `--retain` keeps the bucket".to_owned()
            }
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs { stack } => write!(f, "the stack `{stack}` is no environment of rstack"),
            Self::UnknownResource { name, .. } => write!(f, "the stack has no resource `{name}` to retain"),
            Self::TerminationProtection { stack } => write!(f, "the stack `{stack}` has termination protection"),
            Self::ImportedExport { export, importers } => {
                write!(f, "the export `{export}` is imported by {}", importers.join(", "))
            }
            Self::TableProtection { table } => write!(f, "the table `{table}` has deletion protection"),
            Self::LegalHolds { bucket, versions } => {
                write!(f, "the bucket `{bucket}` holds {} under legal hold", counted(*versions))
            }
            Self::ComplianceLock {
                bucket,
                versions,
                until,
            } => {
                let versions = counted(*versions);
                write!(f, "the bucket `{bucket}` holds {versions} locked in compliance mode")?;
                until.map_or(Ok(()), |until| write!(f, " until {until}"))
            }
            Self::GovernanceLock { bucket, versions } => {
                let versions = counted(*versions);
                write!(f, "the bucket `{bucket}` holds {versions} locked in governance mode")
            }
        }
    }
}

fn counted(versions: u64) -> String {
    let s = if versions == 1 { "" } else { "s" };
    format!("{versions} object version{s}")
}
