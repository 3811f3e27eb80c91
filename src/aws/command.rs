//! Commands of the AWS CLI, as hints name them.

use crate::shell::quote;

/// What leads the AWS CLI to the AWS that rstack talks to, so that a command can be copied as it is. It has no option for
/// a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsCommand {
    pub(super) region: String,
    pub(super) profile: Option<String>,
    pub(super) endpoint_url: Option<String>,
}

impl AwsCommand {
    /// `aws ARGUMENTS --region …`.
    #[must_use]
    pub fn line(&self, arguments: &str) -> String {
        let mut line = format!("aws {arguments} --region {}", quote(&self.region));
        for (option, value) in [("--profile", &self.profile), ("--endpoint-url", &self.endpoint_url)] {
            if let Some(value) = value {
                line.extend([" ", option, " ", &quote(value)]);
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_goes_where_rstack_goes() {
        let command = AwsCommand {
            region: "eu-west-1".to_owned(),
            ..AwsCommand::default()
        };
        assert_eq!(command.line("s3 ls"), "aws s3 ls --region eu-west-1");
        let command = AwsCommand {
            profile: Some("my dev".to_owned()),
            endpoint_url: Some("http://127.0.0.1:4566".to_owned()),
            ..command
        };
        assert_eq!(
            command.line("s3 ls"),
            "aws s3 ls --region eu-west-1 --profile 'my dev' --endpoint-url http://127.0.0.1:4566"
        );
    }
}
