//! Which environments have outlived their time.

use serde::Serialize;

use super::{Stack, describe_all, tag};
use crate::aws::Aws;
use crate::error::Result;
use crate::time::Timestamp;

/// An environment whose time has passed.
#[derive(Debug, Clone, Serialize)]
pub struct Expired {
    pub stack: Stack,
    pub expired_at: Timestamp,
}

/// What a look at every environment of the region found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Survey {
    /// Longest overdue first.
    pub expired: Vec<Expired>,
    /// Environments whose time to live cannot be read: they are left alone.
    pub unreadable: Vec<Stack>,
    /// Environments that may live on, or have no time to live.
    pub living: usize,
}

/// Looks at every environment of the region; judged by AWS's clock. Stacks without rstack's tag are none.
///
/// # Errors
/// When CloudFormation refuses or cannot be reached.
pub async fn survey(aws: &Aws) -> Result<Survey> {
    let stacks = describe_all(aws).await?;
    Ok(Survey::of(stacks, aws.now()))
}

impl Survey {
    fn of(stacks: Vec<Stack>, now: Timestamp) -> Self {
        let mut survey = Self::default();
        for stack in stacks.into_iter().filter(Stack::is_environment) {
            match (stack.expires_at(), stack.tags.contains_key(tag::EXPIRES_AT)) {
                (Some(expired_at), _) if expired_at <= now => survey.expired.push(Expired { stack, expired_at }),
                (None, true) => survey.unreadable.push(stack),
                _ => survey.living += 1,
            }
        }
        survey.expired.sort_by_key(|expired| expired.expired_at);
        survey
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::{Outputs, StackStatus};

    fn stack(name: &str, tags: &[(&str, &str)]) -> Stack {
        Stack {
            name: name.to_owned(),
            id: name.to_owned(),
            status: StackStatus::CreateComplete,
            reason: None,
            created: Timestamp::parse("2026-11-01T00:00:00Z").expect("a time"),
            updated: None,
            outputs: Outputs::default(),
            exports: Vec::new(),
            parameters: std::collections::BTreeMap::new(),
            tags: tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            termination_protection: false,
        }
    }

    #[test]
    fn only_expired_environments_go_the_longest_overdue_first() {
        let ours = (tag::ENVIRONMENT, "x");
        let stacks = vec![
            stack("late", &[ours, (tag::EXPIRES_AT, "2026-11-01T11:00:00Z")]),
            stack("later", &[ours, (tag::EXPIRES_AT, "2026-11-01T10:00:00Z")]),
            stack("now", &[ours, (tag::EXPIRES_AT, "2026-11-01T12:00:00Z")]),
            stack("soon", &[ours, (tag::EXPIRES_AT, "2026-11-01T12:00:01Z")]),
            stack("forever", &[ours]),
            stack("odd", &[ours, (tag::EXPIRES_AT, "tomorrow")]),
            stack("theirs", &[(tag::EXPIRES_AT, "2026-11-01T10:00:00Z")]),
        ];
        let survey = Survey::of(stacks, Timestamp::parse("2026-11-01T12:00:00Z").expect("a time"));
        let names: Vec<_> = survey.expired.iter().map(|e| e.stack.name.as_str()).collect();
        assert_eq!(names, ["later", "late", "now"]);
        assert_eq!(survey.unreadable[0].name, "odd");
        assert_eq!(survey.living, 2);
    }
}
