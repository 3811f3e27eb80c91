//! One connection, made on first use and made again when it breaks.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use redis::aio::MultiplexedConnection;
use redis::io::AsyncDNSResolver;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, FromRedisValue, IntoConnectionInfo, Pipeline, RedisConnectionInfo,
    RedisError, RedisFuture, Value, from_redis_value,
};
use tokio::sync::Mutex;

use super::RedisAddress;
use crate::store::{StoreError, StoreErrorKind, StoreKind, StoreResult, backoff};
use crate::traffic;
use crate::underway::Underway;

const CONNECTING: Duration = Duration::from_secs(3);
const ANSWERING: Duration = Duration::from_secs(30);
/// A Redis that loads its data, or a connection that broke off, is tried this often.
const ATTEMPTS: u32 = 6;

pub(super) struct Connection {
    address: RedisAddress,
    open: Mutex<Option<MultiplexedConnection>>,
}

impl Connection {
    pub(super) fn new(address: RedisAddress) -> Self {
        Self {
            address,
            open: Mutex::new(None),
        }
    }

    /// Runs commands that may safely run twice.
    pub(super) async fn repeatable<T: FromRedisValue>(&self, commands: &Pipeline) -> StoreResult<T> {
        let mut attempt = 1;
        loop {
            match self.once(commands).await {
                Err(error) if attempt < ATTEMPTS && passing(&error) => {
                    tokio::time::sleep(backoff::delay(attempt)).await;
                    attempt += 1;
                }
                other => return other.map_err(|error| self.explain(&error)),
            }
        }
    }

    /// Runs commands once. The error says whether an answer was lost, which leaves open whether they ran.
    pub(super) async fn single<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, (StoreError, bool)> {
        self.once(commands).await.map_err(|error| {
            let answer_lost = error.is_io_error() && !error.is_connection_refusal();
            (self.explain(&error), answer_lost)
        })
    }

    async fn once<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, RedisError> {
        let _underway = Underway::begin("Redis");
        let mut connection = self.open().await?;
        let began = Instant::now();
        let answered = commands.query_async::<Value>(&mut connection).await;
        let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
        if traffic::counted() {
            let sent = commands.get_packed_pipeline().len() as u64;
            traffic::note(began, sent, answered.as_ref().map_or(0, size));
        }
        let result = answered.and_then(|answer| Ok(from_redis_value(answer)?));
        let (commands, ok) = (commands.len(), result.is_ok());
        tracing::debug!(service = "Redis", commands, ok, milliseconds, "request");
        if result.as_ref().is_err_and(RedisError::is_io_error) {
            *self.open.lock().await = None;
        }
        result
    }

    async fn open(&self) -> Result<MultiplexedConnection, RedisError> {
        let mut open = self.open.lock().await;
        if let Some(connection) = &*open {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTING))
            .set_response_timeout(Some(ANSWERING));
        let RedisAddress { host, port, .. } = &self.address;
        let config = config.set_dns_resolver(Resolver {
            host: host.clone(),
            port: *port,
        });
        let connection = Client::open(self.info()?)?
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(open.insert(connection).clone())
    }

    fn info(&self) -> Result<redis::ConnectionInfo, RedisError> {
        let RedisAddress {
            host,
            port,
            server_name,
            ..
        } = &self.address;
        let address = if self.address.tls {
            ConnectionAddr::TcpTls {
                host: server_name.as_ref().unwrap_or(host).clone(),
                port: *port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host.clone(), *port)
        };
        // Telling the server the client's name would cost a round trip before the first command.
        let mut who = RedisConnectionInfo::default()
            .set_db(self.address.db)
            .set_skip_set_lib_name();
        if let Some(username) = &self.address.username {
            who = who.set_username(username);
        }
        if let Some(password) = &self.address.password {
            who = who.set_password(password);
        }
        Ok(address.into_connection_info()?.set_redis_settings(who))
    }

    fn explain(&self, error: &RedisError) -> StoreError {
        let refusal = refusal(error);
        let kind = match refusal.as_ref().map(|(code, _)| code.as_str()) {
            Some("NOAUTH" | "WRONGPASS") => StoreErrorKind::Unauthenticated,
            Some("NOPERM") => StoreErrorKind::Denied,
            Some("READONLY" | "MISCONF") => StoreErrorKind::ReadOnly,
            Some("OOM") => StoreErrorKind::OutOfMemory,
            Some("LOADING" | "BUSY" | "TRYAGAIN") => StoreErrorKind::Throttled,
            Some("WRONGTYPE") => StoreErrorKind::Corrupt,
            _ if error.kind() == redis::ErrorKind::AuthenticationFailed => StoreErrorKind::Unauthenticated,
            _ if error.is_timeout() => StoreErrorKind::Timeout,
            _ if error.is_io_error() => StoreErrorKind::Unreachable,
            _ => StoreErrorKind::Other,
        };
        let endpoint = self.address.endpoint();
        let message = match (kind, refusal) {
            (StoreErrorKind::Timeout, _) => format!("`{endpoint}` does not answer in time"),
            (StoreErrorKind::Unreachable, _) => format!("`{endpoint}` cannot be reached: {error}"),
            (StoreErrorKind::Corrupt, _) => "this is a hash, a list or another collection, and no value".to_owned(),
            (_, Some((code, text))) => format!("`{endpoint}` answered {code}: {}", text.trim_end_matches('.')),
            (_, None) => format!("`{endpoint}`: {error}"),
        };
        StoreError::new(StoreKind::Redis, kind, message)
    }
}

/// Bytes of the strings in an answer.
fn size(answer: &Value) -> u64 {
    match answer {
        Value::BulkString(bytes) => bytes.len() as u64,
        Value::SimpleString(text) => text.len() as u64,
        Value::Array(values) | Value::Set(values) => values.iter().map(size).sum(),
        _ => 0,
    }
}

/// What the server answered, code and text; of the first command of a pipeline that it refused.
fn refusal(error: &RedisError) -> Option<(String, String)> {
    if let Some(first) = error
        .clone()
        .into_server_errors()
        .as_ref()
        .and_then(|refused| refused.first())
    {
        let (_, first) = first;
        return Some((first.code().to_owned(), first.details().unwrap_or_default().to_owned()));
    }
    let code = error.code()?;
    Some((code.to_owned(), error.detail().unwrap_or_default().to_owned()))
}

/// Asking again soon may work.
fn passing(error: &RedisError) -> bool {
    let broken_off = error.is_io_error() && error.is_connection_dropped() && !error.is_connection_refusal();
    let busy = refusal(error).is_some_and(|(code, _)| matches!(code.as_str(), "LOADING" | "TRYAGAIN"));
    broken_off && !error.is_timeout() || busy
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// Leads every name to one host, so that the name in the certificate may differ from where the connection goes.
struct Resolver {
    host: String,
    port: u16,
}

impl AsyncDNSResolver for Resolver {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        _name: &'b str,
        _port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        async move {
            let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        }
        .boxed()
    }
}
