//! Where a Redis is, and who to be there.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::store::{StoreError, StoreErrorKind, StoreKind};

/// A Redis's address. `Debug` and [`RedisAddress::endpoint`] leave the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    pub username: Option<String>,
    pub password: Option<String>,
    pub db: i64,
    /// The name that its certificate must have; the host when absent. Behind a tunnel they differ.
    pub server_name: Option<String>,
}

impl RedisAddress {
    /// Without TLS, database 0, nobody in particular.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            tls: false,
            username: None,
            password: None,
            db: 0,
            server_name: None,
        }
    }

    /// `host:port`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// As it is typed, but for user and password.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let db = if self.db == 0 {
            String::new()
        } else {
            format!("/{}", self.db)
        };
        format!("{scheme}://{host}:{}{db}", self.port)
    }
}

impl FromStr for RedisAddress {
    type Err = StoreError;

    /// Reads `redis[s]://[user:password@]host[:port][/db][?db=N]`.
    fn from_str(text: &str) -> Result<Self, StoreError> {
        // The text may hold a password, so it is not repeated.
        let wrong = |what: &str| {
            let message =
                format!("{what}; an address looks like `redis://host:6379` or `rediss://:password@host:6379/0`");
            StoreError::new(StoreKind::Redis, StoreErrorKind::Address, message)
        };
        let url = redis::parse_redis_url(text).ok_or_else(|| wrong("this is no Redis address"))?;
        let tls = match url.scheme() {
            "redis" => false,
            "rediss" => true,
            _ => return Err(wrong("the scheme is neither `redis` nor `rediss`")),
        };
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| wrong("the host is missing"))?;
        let decode = |text: &str| percent_decode_str(text).decode_utf8().map(Into::into);
        let mut db = url.path().trim_start_matches('/').to_owned();
        for (name, value) in url.query_pairs() {
            if name != "db" {
                return Err(wrong(&format!("`?{name}=` is unknown")));
            }
            db = value.into_owned();
        }
        let db = match db.as_str() {
            "" => 0,
            number => number
                .parse::<u16>()
                .map_err(|_| wrong("the database is not a number"))?
                .into(),
        };
        let username = decode(url.username()).map_err(|_| wrong("the user name is not UTF-8"))?;
        let password = url
            .password()
            .map(decode)
            .transpose()
            .map_err(|_| wrong("the password is not UTF-8"))?;
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(6379),
            tls,
            username: Some(username).filter(|name: &String| !name.is_empty()),
            password: password.filter(|password: &String| !password.is_empty()),
            db,
            server_name: None,
        })
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisAddress")
            .field("endpoint", &self.endpoint())
            .field("tls", &self.tls)
            .field("db", &self.db)
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let plain: RedisAddress = "redis://h".parse().expect("an address");
        assert_eq!(plain, RedisAddress::new("h", 6379));
        let full: RedisAddress = "rediss://me:p%40ss@[::1]:1/3".parse().expect("an address");
        assert_eq!((full.host.as_str(), full.port, full.tls, full.db), ("::1", 1, true, 3));
        assert_eq!(
            (full.username.as_deref(), full.password.as_deref()),
            (Some("me"), Some("p@ss"))
        );
        let query: RedisAddress = "redis://:secret@h:7/?db=5".parse().expect("an address");
        assert_eq!((query.db, query.username.as_deref()), (5, None));
        assert!(!format!("{query:?}").contains("secret"));
        let urls = [&plain, &full, &query].map(RedisAddress::url);
        assert_eq!(urls, ["redis://h:6379", "rediss://[::1]:1/3", "redis://h:7/5"]);
    }

    #[test]
    fn what_is_no_address_says_so_without_repeating_it() {
        for text in [
            "",
            "h:6379",
            "http://h",
            "redis://",
            "redis://h/x",
            "redis://h?a=b",
            "redis://h?db=-1",
        ] {
            let error = text.parse::<RedisAddress>().expect_err(text);
            assert_eq!(error.kind, StoreErrorKind::Address, "{text}");
        }
        let error = "http://u:secret@h".parse::<RedisAddress>().expect_err("wrong scheme");
        assert!(!error.to_string().contains("secret"));
    }
}
