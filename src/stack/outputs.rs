//! The outputs of a stack, and where its stores are according to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Names of the outputs that rstack's own templates have. A template of one's own that has these can be seeded too.
pub mod key {
    pub const BUCKET: &str = "BucketName";
    pub const TABLE: &str = "TableName";
    pub const REDIS_ADDRESS: &str = "RedisAddress";
    pub const REDIS_PORT: &str = "RedisPort";
    pub const REDIS_URL: &str = "RedisUrl";
    pub const SECURITY_GROUP: &str = "SecurityGroupId";
    /// ARN of the secret that holds Redis's AUTH token; only with TLS.
    pub const REDIS_AUTH_SECRET: &str = "RedisAuthSecretArn";
}

/// Outputs by key, in alphabetical order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Outputs(BTreeMap<String, String>);

impl FromIterator<(String, String)> for Outputs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// Where the three stores of an environment are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    pub bucket: String,
    pub table: String,
    pub redis: RedisEndpoint,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisEndpoint {
    pub address: String,
    pub port: u16,
    /// In transit: the URL is then `rediss://`.
    pub tls: bool,
}

impl RedisEndpoint {
    /// `redis://host:port` or `rediss://host:port`, never with a password.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls { "rediss" } else { "redis" };
        format!("{scheme}://{}:{}", self.address, self.port)
    }
}

impl Outputs {
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where the stores are.
    ///
    /// # Errors
    /// Names every output that is missing or unreadable; a stack from a template of one's own may lack some.
    pub fn endpoints(&self) -> Result<Endpoints> {
        let mut missing = Vec::new();
        let mut take = |key: &'static str| {
            self.get(key).map_or_else(
                || {
                    missing.push(key);
                    String::new()
                },
                str::to_owned,
            )
        };
        let (bucket, table) = (take(key::BUCKET), take(key::TABLE));
        let (address, port) = (take(key::REDIS_ADDRESS), take(key::REDIS_PORT));
        if !missing.is_empty() {
            return Err(
                Error::refused(format!("the stack has no output {}", missing.join(", "))).with_hint(
                    "the stores are found by these outputs; add them to the template and run `rstack up` again",
                ),
            );
        }
        let port = port.parse().map_err(|_| {
            Error::refused(format!(
                "the stack's output {} is {port:?}, not a port",
                key::REDIS_PORT
            ))
        })?;
        let tls = self.get(key::REDIS_URL).is_some_and(|url| url.starts_with("rediss:"));
        Ok(Endpoints {
            bucket,
            table,
            redis: RedisEndpoint { address, port, tls },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(pairs: &[(&str, &str)]) -> Outputs {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn endpoints_of_a_complete_stack() {
        let found = outputs(&[
            ("BucketName", "b"),
            ("TableName", "t"),
            ("RedisAddress", "h"),
            ("RedisPort", "6379"),
            ("RedisUrl", "rediss://h:6379"),
        ])
        .endpoints()
        .expect("complete");
        assert_eq!(found.redis.url(), "rediss://h:6379");
        assert_eq!((found.bucket.as_str(), found.table.as_str()), ("b", "t"));
    }

    #[test]
    fn every_missing_output_is_named() {
        let error = outputs(&[("TableName", "t")]).endpoints().expect_err("incomplete");
        assert_eq!(
            error.to_string(),
            "the stack has no output BucketName, RedisAddress, RedisPort"
        );
    }
}
