//! The clients, each made on first use: making all of them would cost a quick command more than its work.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::clock::ServerClock;
use super::command::AwsCommand;
use super::log::RequestLog;
use super::profile::NamedProfile;
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// How often a request is made when nobody says otherwise: a busy account throttles for longer than three attempts last.
const ATTEMPTS: u32 = 5;

/// Where AWS is and who we are: what [`Aws::connect`] needs, every field already resolved by `settings`.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub region: Option<String>,
    pub profile: Option<String>,
    pub endpoint_url: Option<String>,
    /// Role to assume on top of the credentials found.
    pub role_arn: Option<String>,
    /// Fixed access key id and secret, as the AWS on this machine takes them.
    pub credentials: Option<(String, String)>,
}

/// The clients of one account and region.
#[derive(Debug)]
pub struct Aws {
    config: SdkConfig,
    region: String,
    profile: Option<String>,
    clock: ServerClock,
    cloudformation: OnceLock<aws_sdk_cloudformation::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    elasticache: OnceLock<aws_sdk_elasticache::Client>,
    connector: OnceLock<Connector>,
    endpoints: StoreEndpoints,
}

/// Where single services are, in place of [`Access::endpoint_url`].
#[derive(Debug, Clone, Default)]
pub struct StoreEndpoints {
    pub s3: Option<String>,
    pub dynamodb: Option<String>,
}

impl Aws {
    /// Finds region and credentials the way every AWS tool does, and makes no request (a role is assumed on first use).
    ///
    /// # Errors
    /// When no region can be found.
    pub async fn connect(access: &Access) -> Result<Self> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(https_client())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(5))
                    .read_timeout(Duration::from_secs(30))
                    .build(),
            );
        if let Some(region) = &access.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &access.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &access.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some((id, secret)) = &access.credentials {
            loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "rstack local"));
        }
        let mut config = loader.load().await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(Error::configuration("no AWS region is set")
                .with_hint("use `--region`, AWS_REGION, `region` in rstack.yaml, or a profile that has one"));
        };
        // `settings` has checked its own; this one may come from AWS_REGION or a profile.
        if !is_host_label(&region) {
            return Err(Error::configuration(format!("the AWS region is {region:?}"))
                .with_hint("expected a region such as eu-west-1; look at AWS_REGION and the AWS profile"));
        }
        let retries = patient(config.retry_config().cloned());
        config = config.into_builder().retry_config(retries).build();
        if let Some(profile) = &access.profile {
            let provider = SharedCredentialsProvider::new(NamedProfile::new(profile, &config));
            config = config.into_builder().credentials_provider(provider).build();
        }
        if let Some(role) = &access.role_arn {
            let provider = aws_config::sts::AssumeRoleProvider::builder(role.as_str())
                .session_name("rstack")
                .configure(&config)
                .build()
                .await;
            config = config
                .into_builder()
                .credentials_provider(SharedCredentialsProvider::new(provider))
                .build();
        }
        if let Some(url) = config.endpoint_url().filter(|url| is_plain_http(url)) {
            let client = http_client(proxy(Some(url)));
            config = config.into_builder().http_client(client).build();
        }
        Ok(Self {
            config,
            region,
            profile: access.profile.clone(),
            clock: ServerClock::default(),
            cloudformation: OnceLock::new(),
            s3: OnceLock::new(),
            dynamodb: OnceLock::new(),
            elasticache: OnceLock::new(),
            connector: OnceLock::new(),
            endpoints: StoreEndpoints::default(),
        })
    }

    /// The same AWS by way of other endpoints; to be said before the first request.
    #[must_use]
    pub fn by_way_of(self, endpoints: StoreEndpoints) -> Self {
        Self { endpoints, ..self }
    }

    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// For hints that name a command of the AWS CLI.
    #[must_use]
    pub fn command(&self) -> AwsCommand {
        AwsCommand {
            region: self.region.clone(),
            profile: self.profile.clone(),
            endpoint_url: self.config.endpoint_url().map(str::to_owned),
        }
    }

    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// How often a request is made in all, when that can help.
    pub(super) fn attempts(&self) -> u32 {
        self.config.retry_config().map_or(ATTEMPTS, RetryConfig::max_attempts)
    }

    /// The time by AWS's clock, as CloudFormation told it last; by this machine's before the first answer.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn cloudformation(&self) -> &aws_sdk_cloudformation::Client {
        self.cloudformation.get_or_init(|| {
            let config = aws_sdk_cloudformation::config::Builder::from(&self.config)
                .interceptor(self.clock.clone())
                .interceptor(RequestLog);
            aws_sdk_cloudformation::Client::from_conf(config.build())
        })
    }

    /// Paths instead of virtual hosts when the endpoint is given: local servers have no wildcard DNS.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        self.s3.get_or_init(|| {
            let mut config = aws_sdk_s3::config::Builder::from(&self.config)
                .force_path_style(self.config.endpoint_url().is_some())
                .interceptor(RequestLog);
            if let Some(url) = &self.endpoints.s3 {
                config = config.endpoint_url(url);
            }
            aws_sdk_s3::Client::from_conf(config.build())
        })
    }

    pub fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| {
            let mut config = aws_sdk_dynamodb::config::Builder::from(&self.config).interceptor(RequestLog);
            if let Some(url) = &self.endpoints.dynamodb {
                config = config.endpoint_url(url);
            }
            aws_sdk_dynamodb::Client::from_conf(config.build())
        })
    }

    pub fn elasticache(&self) -> &aws_sdk_elasticache::Client {
        self.elasticache.get_or_init(|| {
            let config = aws_sdk_elasticache::config::Builder::from(&self.config).interceptor(RequestLog);
            aws_sdk_elasticache::Client::from_conf(config.build())
        })
    }

    /// For requests signed by hand.
    pub(super) fn connector(&self) -> &Connector {
        self.connector.get_or_init(|| {
            let mut builder = connector(proxy(self.config.endpoint_url()), None, None);
            builder.set_sleep_impl(self.config.sleep_impl());
            if self.config.endpoint_url().is_some_and(is_plain_http) {
                builder.build_http()
            } else {
                builder.tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build()
            }
        })
    }
}

/// Retries as `AWS_RETRY_MODE`, `AWS_MAX_ATTEMPTS` or the profile have them, and more than the SDK makes by itself.
fn patient(configured: Option<RetryConfig>) -> RetryConfig {
    let usual = RetryConfig::standard().max_attempts();
    match configured.unwrap_or_else(RetryConfig::standard) {
        retries if retries.max_attempts() == usual => retries.with_max_attempts(ATTEMPTS),
        retries => retries,
    }
}

/// A region becomes part of a host's name.
fn is_host_label(region: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=63).contains(&region.len()) && region.chars().all(inner) && !region.starts_with('-') && !region.ends_with('-')
}

fn is_plain_http(url: &str) -> bool {
    url.starts_with("http://")
}

/// Proxies come from the environment; none of them knows the way back to this machine.
fn proxy(endpoint: Option<&str>) -> ProxyConfig {
    match endpoint {
        Some(url) if is_loopback(url) => ProxyConfig::disabled(),
        _ => ProxyConfig::from_env(),
    }
}

fn is_loopback(url: &str) -> bool {
    let authority = url
        .split("://")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn connector(
    proxy: ProxyConfig,
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> ConnectorBuilder {
    let mut builder = Connector::builder().proxy_config(proxy);
    builder.set_connector_settings(settings.cloned());
    builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    builder
}

/// TLS by rustls. Root certificates are read on the first request, which honours `SSL_CERT_FILE`.
fn https_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        connector(ProxyConfig::from_env(), settings, components)
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .build()
    })
}

/// For endpoints without TLS: reading the root certificates alone would take longer than a local command's work.
fn http_client(proxy: ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        connector(proxy.clone(), settings, components).build_http()
    })
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_is_loopback() {
        for url in [
            "http://127.0.0.1:4566",
            "http://localhost:1/x",
            "http://[::1]:8000",
            "http://localhost",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://10.0.0.1:4566",
            "https://s3.amazonaws.com",
            "http://localhost.example:1",
            "127.0.0.1:80",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
