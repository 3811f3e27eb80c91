//! Credentials of a profile that was named. It goes before keys in the environment, as in every AWS tool: they may
//! belong to another account.

use std::error::Error as StdError;
use std::fmt;

use aws_config::SdkConfig;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Providing;
use aws_credential_types::provider::{ProvideCredentials, Result};

#[derive(Debug)]
pub(super) struct NamedProfile {
    name: String,
    provider: ProfileFileCredentialsProvider,
}

/// Why a profile gives no credentials.
#[derive(Debug)]
pub(super) struct ProfileError {
    name: String,
    cause: String,
}

impl NamedProfile {
    pub(super) fn new(name: &str, config: &SdkConfig) -> Self {
        let mut provider = ProviderConfig::without_region().with_region(config.region().cloned());
        if let Some(client) = config.http_client() {
            provider = provider.with_http_client(client);
        }
        Self {
            name: name.to_owned(),
            provider: ProfileFileCredentialsProvider::builder()
                .configure(&provider)
                .profile_name(name)
                .build(),
        }
    }

    async fn credentials(&self) -> Result {
        self.provider.provide_credentials().await.map_err(|error| {
            let causes = std::iter::successors(Some(&error as &(dyn StdError + 'static)), |error| (*error).source());
            CredentialsError::not_loaded(ProfileError {
                name: self.name.clone(),
                cause: causes.last().map_or_else(String::new, ToString::to_string),
            })
        })
    }
}

impl ProvideCredentials for NamedProfile {
    fn provide_credentials<'a>(&'a self) -> Providing<'a>
    where
        Self: 'a,
    {
        Providing::new(self.credentials())
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the profile `{}` gives none: {}", self.name, self.cause)
    }
}

impl StdError for ProfileError {}
