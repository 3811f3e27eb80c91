//! How another process opens what this one has opened, release by release.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::KydbStore;
use super::location::Location;
use super::union::{Member, Source};
use crate::store::RedisAddress;

/// What means something in a source, and everything unusual.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');
/// The same in a user's name or password.
const SECRET: &AsciiSet = &RESERVED.add(b'/');

impl Source {
    /// A source that opens the same releases again from the same stores, wherever the markers are by then, and does not
    /// ask CloudFormation.
    /// What was passed over is left out. It holds passwords: it is for other processes, not for people.
    #[must_use]
    pub fn pinned(&self) -> String {
        let parts = self.opened().map(|(location, member)| part(location, member));
        parts.collect::<Vec<_>>().join(";")
    }
}

fn part(location: &Location, member: &Member) -> String {
    let Member::Area(reader) = member else {
        let (url, db) = written(location);
        return url + &db.map_or_else(String::new, |db| format!("?db={db}"));
    };
    let (mut url, db) = written(location);
    // Writing to a String cannot fail.
    let _ = write!(url, "?at={}", reader.marker().release);
    if let Some(whereabouts) = &reader.place().whereabouts {
        let _ = write!(url, "&stores={}", encoded(&whereabouts.written()));
    }
    if let Some(db) = db {
        let _ = write!(url, "&db={db}");
    }
    url
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Without options, and the number of a Redis's database.
fn written(location: &Location) -> (String, Option<i64>) {
    let url = match location {
        Location::Environment { name, area } => format!("env:{}/{}", encoded(name), encoded(area.as_str())),
        Location::S3 { bucket, area } => format!("s3://{}/{}", encoded(bucket), encoded(area.as_str())),
        Location::DynamoDb { table, area } => format!("dynamodb://{}/{}", encoded(table), encoded(area.as_str())),
        Location::File { root, area } => {
            format!("file://{}/{}", encoded(&root.to_string_lossy()), encoded(area.as_str()))
        }
        Location::Folder(path) => {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            encoded(&absolute.to_string_lossy())
        }
        Location::Redis { address, area } => {
            let url = format!("{}/{}", redis(address), encoded(area.as_str()));
            return (url, Some(address.db));
        }
        Location::Kydb { store, base } => match store {
            KydbStore::Redis(address) => {
                return (format!("kydb+{}/{}", redis(address), encoded(base)), Some(address.db));
            }
            KydbStore::S3(bucket) => format!("kydb+s3://{}/{}", encoded(bucket), encoded(base)),
            KydbStore::DynamoDb(table) => format!("kydb+dynamodb://{}/{}", encoded(table), encoded(base)),
        },
    };
    (url, None)
}

fn redis(address: &RedisAddress) -> String {
    let scheme = if address.tls { "rediss" } else { "redis" };
    let encode = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default();
        utf8_percent_encode(text, SECRET).to_string()
    };
    let user = match (&address.username, &address.password) {
        (None, None) => String::new(),
        (username, None) => format!("{}@", encode(username)),
        (username, password) => format!("{}:{}@", encode(username), encode(password)),
    };
    let RedisAddress { host, port, .. } = address;
    if host.contains(':') {
        return format!("{scheme}://{user}[{host}]:{port}");
    }
    format!("{scheme}://{user}{host}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{SourceUrl, Whereabouts};

    #[test]
    fn what_is_written_is_read_as_the_same_place() {
        for text in [
            "env:demo/home/tony.yum",
            "s3://b/a%3Bb%3Fc",
            "dynamodb://t/prod",
            "redis://:p%40%3A%2F%3Bx@h:1/prod?db=3",
            "rediss://me:secret@[::1]:7/main?db=0",
            "file:///srv/co%20de/prod",
            "kydb+redis://h:6379/home/tony?db=2",
            "kydb+s3://b/",
            "/srv/c%C3%B6de",
        ] {
            let url = SourceUrl::parse(text, None).expect(text);
            let (written, db) = written(&url.parts[0].location);
            let db = db.map_or_else(String::new, |db| format!("?db={db}"));
            assert_eq!(format!("{written}{db}"), text);
        }
    }
    #[test]
    fn where_an_environment_is_goes_along() {
        let found = r#"{"stack_id":"arn:x","endpoints":{"bucket":"b","table":"t","redis":{"address":"h","port":6379,"tls":true}},"secret":"arn:y"}"#;
        let written = Whereabouts::read(found).expect("as written").written();
        assert_eq!(written, found);
        let pinned = format!("env:demo/prod?at=0123abcd&stores={}", encoded(&written));
        let url = SourceUrl::parse(&pinned, None).expect("a source");
        assert_eq!(url.parts[0].stores.as_deref().map(Whereabouts::written), Some(written));
        assert_eq!(url.to_string(), "env:demo/prod");
    }
}
