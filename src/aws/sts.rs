//! The question to STS: whose account is this.

use super::signed::{Call, element};
use super::{Aws, AwsError, Service};

const VERSION: &str = "2011-06-15";

impl Aws {
    /// The ARN of the caller. Nobody needs a permission to ask.
    pub async fn caller(&self) -> Result<String, AwsError> {
        let call = Call::query(Service::Sts, VERSION, "GetCallerIdentity", &[]);
        let answer = call.send(self).await?;
        Ok(element(&answer, "Arn").unwrap_or_default())
    }
}
