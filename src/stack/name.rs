//! Names of environments, which are names of stacks.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::Error;

/// A name CloudFormation accepts: a letter, then letters, digits and hyphens, 128 characters at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StackName(String);

impl StackName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StackName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let valid = text.len() <= 128
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if valid {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::usage(format!("{text:?} cannot be the name of an environment"))
            .with_hint("a name starts with a letter and has letters, digits and hyphens, 128 at most"))
    }
}

impl fmt::Display for StackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for StackName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "demo", "pr-123", "A1-b2", &"x".repeat(128)] {
            assert!(good.parse::<StackName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "1demo",
            "-demo",
            "de mo",
            "demo/prod",
            "démo",
            "demo\n",
            "a_b",
            &"x".repeat(129),
        ] {
            assert!(bad.parse::<StackName>().is_err(), "{bad:?}");
        }
    }
}
