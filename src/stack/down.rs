//! Taking a stack down: from a plan that was agreed to, to the proof that nothing is left.

use std::time::Instant;

use serde::Serialize;

use super::deletion::Deletion;
use super::drain::Drained;
use super::inventory::{Holding, Kept};
use super::plan::{Down, Plan};
use super::proof::{Proof, prove};
use super::{StackName, StackStatus, Watch, keep};
use crate::aws::Aws;
use crate::error::{Outcome, Result};

/// What taking down an environment did.
#[derive(Debug, Clone, Serialize)]
pub struct DownReport {
    pub name: StackName,
    /// There was nothing to take down.
    pub absent: bool,
    /// Buckets that were emptied.
    pub drained: Vec<Drained>,
    /// CloudFormation was made to give the stack up.
    pub forced: bool,
    pub resources: Vec<Fate>,
    pub seconds: f64,
}

/// What became of one resource.
#[derive(Debug, Clone, Serialize)]
pub struct Fate {
    #[serde(flatten)]
    pub holding: Holding,
    #[serde(flatten)]
    pub proof: Proof,
}

impl DownReport {
    /// Nothing was there.
    #[must_use]
    pub fn absent(name: StackName) -> Self {
        Self {
            name,
            absent: true,
            drained: Vec::new(),
            forced: false,
            resources: Vec::new(),
            seconds: 0.0,
        }
    }

    /// Resources that still exist although they should not.
    pub fn left(&self) -> impl Iterator<Item = &Fate> {
        self.resources
            .iter()
            .filter(|fate| fate.holding.kept.is_none() && fate.proof == Proof::Left)
    }

    /// Resources whose service would not say.
    pub fn unproven(&self) -> impl Iterator<Item = (&Holding, &str)> {
        self.resources.iter().filter_map(|fate| match &fate.proof {
            Proof::Unproven { reason } if fate.holding.kept.is_none() => Some((&fate.holding, reason.as_str())),
            _ => None,
        })
    }

    /// Resources that were left standing on purpose.
    pub fn kept(&self) -> impl Iterator<Item = &Holding> {
        self.resources
            .iter()
            .map(|fate| &fate.holding)
            .filter(|holding| holding.kept.is_some())
    }

    /// `Partial` when something is left, or may be.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.left().next().is_some() || self.unproven().next().is_some() {
            Outcome::Partial
        } else {
            Outcome::Done
        }
    }
}

/// Carries the plan out. What the plan says is kept is neither emptied nor deleted.
///
/// # Errors
/// The plan's obstacles; `Stack` when the stack would not go; `LostContact` and `Interrupted`, after either of which
/// AWS goes on and running this again attaches.
pub async fn down(aws: &Aws, plan: &Plan, down: &Down<'_>, watching: &Watch<'_>) -> Result<DownReport> {
    plan.check()?;
    let started = Instant::now();
    let holdings: Vec<_> = plan.resources.iter().map(|r| r.holding.clone()).collect();
    let retained: Vec<_> = holdings
        .iter()
        .filter(|h| h.kept == Some(Kept::Option))
        .map(|h| h.logical_id.clone())
        .filter(|name| down.retain.contains(name))
        .collect();
    let failed_before = plan.stack.status == StackStatus::DeleteFailed;
    if !retained.is_empty() && !failed_before {
        keep::set(aws, &plan.stack, down.name, &retained, watching).await?;
    }
    let deletion = Deletion {
        aws,
        name: down.name,
        stack: &plan.stack,
        holdings: &holdings,
        retain: if failed_before { &retained } else { &[] },
        force: down.force,
        watching,
        started,
    };
    let deleted = deletion.run().await?;
    let resources = proven(aws, holdings).await;
    Ok(DownReport {
        name: down.name.clone(),
        absent: false,
        drained: deleted.drained,
        forced: deleted.forced,
        resources,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// What is kept is not asked for.
async fn proven(aws: &Aws, holdings: Vec<Holding>) -> Vec<Fate> {
    let asked: Vec<_> = holdings.iter().filter(|h| h.kept.is_none()).collect();
    let mut proofs = prove(aws, &asked).await.into_iter();
    let fate = |holding: Holding| {
        let asked = if holding.kept.is_none() { proofs.next() } else { None };
        Fate {
            proof: asked.unwrap_or(Proof::NotAsked),
            holding,
        }
    };
    holdings.into_iter().map(fate).collect()
}
