//! What a source is called.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::KydbStore;
use super::environment::Whereabouts;
use super::location::{Location, decode};
use crate::config::check;
use crate::error::{Error, Result};
use crate::publish::Area;
use crate::release::Pin;
use crate::store::{RedisAddress, StoreKind};

/// One or several sources, the first that has a path counts.
#[derive(Debug, Clone)]
pub struct SourceUrl {
    pub(super) parts: Vec<Part>,
}

#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) location: Location,
    pub(super) at: Option<Pin>,
    /// Passed over when it cannot be opened.
    pub(super) optional: bool,
    /// A copy of a marker that was not known to be the current one for so long is refused.
    pub(super) stale: Option<Duration>,
    /// Of an environment, as another process found it.
    pub(super) stores: Option<Arc<Whereabouts>>,
}

impl fmt::Display for SourceUrl {
    /// Without options, and never with a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.parts.iter().enumerate() {
            let join = if place == 0 { "" } else { ";" };
            write!(f, "{join}{}", part.location)?;
        }
        Ok(())
    }
}

impl SourceUrl {
    /// Reads a source as it is typed; a name that is no URL is an area of `environment`.
    ///
    /// # Errors
    /// Usage, naming what is wrong with it.
    pub fn parse(text: &str, environment: Option<&str>) -> Result<Self> {
        let parts = text.split(';').map(|part| Part::parse(part.trim(), environment));
        Ok(Self {
            parts: parts.collect::<Result<_>>()?,
        })
    }

    /// As it is shown, and the options that make another source of it.
    #[must_use]
    pub fn with_options(&self) -> String {
        let parts = self.parts.iter().map(|part| {
            let at = part.at.as_ref().map(|at| format!("at={at}"));
            let stale = part
                .stale
                .map(|age| format!("stale={}", humantime::format_duration(age).to_string().replace(' ', "")));
            let optional = part.optional.then(|| "optional=1".to_owned());
            let db = match &part.location {
                Location::Redis { address, .. } if address.db != 0 => Some(format!("db={}", address.db)),
                _ => None,
            };
            let options: Vec<String> = [at, stale, optional, db].into_iter().flatten().collect();
            let asked = if options.is_empty() { "" } else { "?" };
            format!("{}{asked}{}", part.location, options.join("&"))
        });
        parts.collect::<Vec<_>>().join(";")
    }

    /// The area of an environment.
    #[must_use]
    pub fn environment(name: &str, area: Area) -> Self {
        let name = name.to_owned();
        let part = Part {
            location: Location::Environment { name, area },
            at: None,
            optional: false,
            stale: None,
            stores: None,
        };
        Self { parts: vec![part] }
    }

    /// Pins all of it.
    ///
    /// # Errors
    /// Usage when a part has a `?at=` of its own.
    pub fn at(mut self, pin: &Pin) -> Result<Self> {
        for part in &mut self.parts {
            if part.at.is_some() {
                return Err(Error::usage("`--at` and `?at=` contradict each other").with_hint("leave one of them out"));
            }
            if part.stale.is_some() {
                return Err(pinned_and_stale());
            }
            part.at = Some(pin.clone());
        }
        Ok(self)
    }

    /// The environment and its area, where this is nothing else.
    #[must_use]
    pub fn whole_environment(&self) -> Option<(&str, &Area)> {
        match self.parts.as_slice() {
            [
                Part {
                    location: Location::Environment { name, area },
                    at: None,
                    optional: false,
                    stale: None,
                    stores: _,
                },
            ] => Some((name, area)),
            _ => None,
        }
    }

    /// Whether a part is an area of an environment.
    #[must_use]
    pub fn reads_an_environment(&self) -> bool {
        let environment = |part: &Part| matches!(part.location, Location::Environment { .. });
        self.parts.iter().any(environment)
    }

    /// The same with every Redis that it names by another address.
    #[must_use]
    pub fn by_way_of(mut self, other: impl Fn(&RedisAddress) -> RedisAddress) -> Self {
        for part in &mut self.parts {
            if let Location::Redis { address, .. }
            | Location::Kydb {
                store: KydbStore::Redis(address),
                ..
            } = &mut part.location
            {
                *address = other(address);
            }
        }
        self
    }

    /// Whether a part may read from such a store.
    #[must_use]
    pub fn reads(&self, kind: StoreKind) -> bool {
        self.parts.iter().any(|part| match &part.location {
            Location::Environment { .. } => StoreKind::OF_ENVIRONMENT.contains(&kind),
            Location::S3 { .. } => kind == StoreKind::S3,
            Location::DynamoDb { .. } => kind == StoreKind::DynamoDb,
            Location::Redis { .. } => kind == StoreKind::Redis,
            Location::File { .. } | Location::Folder(_) => kind == StoreKind::File,
            Location::Kydb { store, .. } => match store {
                KydbStore::Redis(_) => kind == StoreKind::Redis,
                KydbStore::S3(_) => kind == StoreKind::S3,
                KydbStore::DynamoDb(_) => kind == StoreKind::DynamoDb,
            },
        })
    }

    /// Whether opening it takes AWS.
    #[must_use]
    pub fn needs_aws(&self) -> bool {
        self.parts.iter().any(|part| match &part.location {
            Location::Environment { .. } | Location::S3 { .. } | Location::DynamoDb { .. } => true,
            Location::Kydb { store, .. } => !matches!(store, KydbStore::Redis(_)),
            Location::Redis { .. } | Location::File { .. } | Location::Folder(_) => false,
        })
    }
}

impl Part {
    fn parse(text: &str, environment: Option<&str>) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::usage("a source is empty").with_hint("`a;b` joins two; quote it for the shell"));
        }
        let (rest, query) = text.split_once('?').unwrap_or((text, ""));
        let mut options = Options::parse(query)?;
        let location = Location::parse(rest, environment, &mut options.db)?;
        if options.db.is_some() {
            return Err(Error::usage("`?db=` is for `redis://` and `rediss://` only"));
        }
        if options.stores.is_some() && !matches!(location, Location::Environment { .. }) {
            return Err(Error::usage("`?stores=` is for `env:` only"));
        }
        if options.stale.is_some() {
            if !location.has_a_marker_of_its_own() {
                return Err(Error::usage(format!(
                    "`?stale=` is for stores with a copy of the marker, and `{location}` has none"
                ))
                .with_hint("it is for `s3://`, `dynamodb://`, `redis://`, `rediss://` and `file:///`; leave it out"));
            }
            if options.at.is_some() {
                return Err(pinned_and_stale());
            }
        }
        Ok(Self {
            location,
            at: options.at,
            optional: options.optional,
            stale: options.stale,
            stores: options.stores,
        })
    }
}

#[derive(Default)]
struct Options {
    at: Option<Pin>,
    optional: bool,
    stale: Option<Duration>,
    stores: Option<Arc<Whereabouts>>,
    db: Option<String>,
}

impl Options {
    fn parse(query: &str) -> Result<Self> {
        let mut options = Self::default();
        let mut seen = BTreeSet::new();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if !seen.insert(name) {
                return Err(
                    Error::usage(format!("`?{name}=` stands twice in a source")).with_hint("leave one of them out")
                );
            }
            let value = decode(value)?;
            match (name, value.as_str()) {
                ("at", pin) => options.at = Some(pin.parse()?),
                ("optional", "1") => options.optional = true,
                ("optional", "0") => options.optional = false,
                ("stale", age) => options.stale = Some(duration(age)?),
                ("stores", found) => {
                    let found = Whereabouts::read(found).ok_or_else(|| {
                        Error::usage("`?stores=` is not what rstack writes there")
                            .with_hint("leave it out: then CloudFormation is asked where the stores are")
                    })?;
                    options.stores = Some(Arc::new(found));
                }
                ("db", number) => options.db = Some(number.to_owned()),
                _ => {
                    return Err(Error::usage(format!("`?{option}` is unknown in a source")).with_hint(
                        "there are `?at=RELEASE`, `?at=TIME`, `?stale=AGE`, `?optional=1` and, for Redis, `?db=N`",
                    ));
                }
            }
        }
        Ok(options)
    }
}

fn duration(text: &str) -> Result<Duration> {
    check::duration(text).map_err(|expected| Error::usage(format!("`?stale=` is {text:?}")).with_hint(expected))
}

fn pinned_and_stale() -> Error {
    Error::usage("`?at=` and `?stale=` contradict each other: what is pinned does not grow stale")
        .with_hint("leave one of them out")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> String {
        match SourceUrl::parse(text, Some("demo")) {
            Ok(url) => {
                let part = |part: &Part| {
                    let at = part.at.as_ref().map_or_else(String::new, |pin| format!(" at {pin}"));
                    let optional = if part.optional { " optional" } else { "" };
                    format!("{}{at}{optional}", part.location)
                };
                url.parts.iter().map(part).collect::<Vec<_>>().join(" | ")
            }
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn every_kind_of_source() {
        for (text, meant) in [
            ("prod", "env:demo/prod"),
            ("env:x", "env:x/main"),
            ("env:x/home/tony.yum", "env:x/home/tony.yum"),
            ("s3://b/prod", "s3://b/prod"),
            ("dynamodb://t", "dynamodb://t/main"),
            ("redis://:secret@h:1/prod?db=3", "redis://h:1/prod"),
            ("rediss://h/prod", "rediss://h:6379/prod"),
            ("file:///srv/code/prod", "file:///srv/code/prod"),
            ("kydb+redis://h/home/tony", "kydb+redis://h:6379/home/tony"),
            ("kydb+s3://b", "kydb+s3://b/"),
            ("kydb+dynamodb://t/base/", "kydb+dynamodb://t/base"),
            ("./a%3Bb", "./a;b"),
            ("/abs", "/abs"),
            (
                "hotfix?optional=1;prod?at=2026-11-01T12:00:00Z",
                "env:demo/hotfix optional | env:demo/prod at 2026-11-01T12:00:00Z",
            ),
            ("prod?at=0123abcd", "env:demo/prod at 0123abcd"),
        ] {
            assert_eq!(parse(text), meant, "{text}");
        }
        let url = SourceUrl::parse("redis://h/prod?db=3", None).expect("a source");
        assert!(matches!(&url.parts[0].location, Location::Redis { address, .. } if address.db == 3));
        assert!(!url.needs_aws());
        assert_eq!(url.with_options(), "redis://h:6379/prod?db=3");
        let typed = "hotfix?optional=1;prod?at=0123abcd;s3://b/prod?stale=90m&optional=1";
        let url = SourceUrl::parse(typed, Some("demo")).expect("a source");
        let shown = "env:demo/hotfix?optional=1;env:demo/prod?at=0123abcd;s3://b/prod?stale=1h30m&optional=1";
        assert_eq!(url.with_options(), shown);
    }

    #[test]
    fn what_is_no_source_says_so() {
        for text in [
            "",
            "a;;b",
            "ftp://x/y",
            "kydb+http://x/y",
            "kydb+s3:///x",
            "s3:///prod",
            "prod?at=yesterday",
            "prod?cache=1",
            "s3://b/p?db=1",
            "file://x",
            "redis://h:x/prod",
            "prod?at=%FF",
            "prod?at=0123abcd&at=0123abce",
            "prod?optional=1&optional=1",
            "a%zz",
            "./a%2",
            "s3://b%/prod",
            "prod?stores=%7B%7D",
        ] {
            assert!(parse(text).starts_with("error: "), "{text}: {}", parse(text));
        }
        assert!(SourceUrl::parse("prod", None).is_err());
        let pinned = SourceUrl::parse("prod?at=0123abcd", Some("x")).expect("a source");
        assert!(pinned.at(&Pin::Release("0123".to_owned())).is_err());
    }
}
