//! The places that a source may name: how they are written, and how they are shown.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::KydbStore;
use crate::error::{Error, Result};
use crate::publish::Area;
use crate::store::{RedisAddress, StoreError};

/// Where a source is.
#[derive(Debug, Clone)]
pub enum Location {
    Environment {
        name: String,
        area: Area,
    },
    S3 {
        bucket: String,
        area: Area,
    },
    DynamoDb {
        table: String,
        area: Area,
    },
    Redis {
        address: RedisAddress,
        area: Area,
    },
    /// A folder that is a store: the last name is the area.
    File {
        root: PathBuf,
        area: Area,
    },
    /// A folder of plain files.
    Folder(PathBuf),
    /// Everything below a base path of a KYDB database.
    Kydb {
        store: KydbStore,
        base: String,
    },
}

impl Location {
    /// Reads one place as it is typed; `db` is `?db=`, which is taken where it belongs.
    pub(super) fn parse(text: &str, environment: Option<&str>, db: &mut Option<String>) -> Result<Self> {
        if text.starts_with("./") || text.starts_with('/') || text == "." {
            return Ok(Location::Folder(decode(text)?.into()));
        }
        if let Some(rest) = text.strip_prefix("env:") {
            let (name, area) = rest.split_once('/').unwrap_or((rest, "main"));
            return Ok(Location::Environment {
                name: decode(name)?,
                area: area_of(area)?,
            });
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            let Some(name) = environment else {
                return Err(
                    Error::usage(format!("`{text}` is no URL, and no environment is named")).with_hint(
                        "name the environment with `--name`, or write `env:NAME/AREA`; a folder starts with `./` or `/`",
                    ),
                );
            };
            return Ok(Location::Environment {
                name: name.to_owned(),
                area: area_of(text)?,
            });
        };
        let (place, area) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(scheme) = scheme.strip_prefix("kydb+") {
            return kydb(scheme, place, area, db);
        }
        let area = || {
            if area.is_empty() {
                Ok(Area::default())
            } else {
                area_of(area)
            }
        };
        Ok(match scheme {
            "s3" => Location::S3 {
                bucket: named(place, "bucket")?,
                area: area()?,
            },
            "dynamodb" => Location::DynamoDb {
                table: named(place, "table")?,
                area: area()?,
            },
            "redis" | "rediss" => Location::Redis {
                address: redis(scheme, place, db)?,
                area: area()?,
            },
            "file" => file(rest)?,
            _ => {
                return Err(Error::usage(format!("`{scheme}://` is no kind of source")).with_hint(
                    "there are `env:NAME/AREA`, `s3://`, `dynamodb://`, `redis://`, `rediss://`, `file:///`, `kydb+…://`, and folders",
                ));
            }
        })
    }

    pub(super) fn has_a_marker_of_its_own(&self) -> bool {
        match self {
            Self::S3 { .. } | Self::DynamoDb { .. } | Self::Redis { .. } | Self::File { .. } => true,
            Self::Environment { .. } | Self::Folder(_) | Self::Kydb { .. } => false,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment { name, area } => write!(f, "env:{name}/{area}"),
            Self::S3 { bucket, area } => write!(f, "s3://{bucket}/{area}"),
            Self::DynamoDb { table, area } => write!(f, "dynamodb://{table}/{area}"),
            Self::Redis { address, area } => {
                let scheme = if address.tls { "rediss" } else { "redis" };
                write!(f, "{scheme}://{}/{area}", address.endpoint())
            }
            Self::File { root, area } => write!(f, "file://{}/{area}", root.display()),
            Self::Folder(path) => path.display().fmt(f),
            Self::Kydb { store, base } => write!(f, "{store}/{base}"),
        }
    }
}

fn redis(scheme: &str, place: &str, db: &mut Option<String>) -> Result<RedisAddress> {
    let option = db.take().map_or_else(String::new, |db| format!("?db={db}"));
    RedisAddress::from_str(&format!("{scheme}://{place}{option}"))
        .map_err(|error: StoreError| Error::usage(error.message))
}

fn kydb(scheme: &str, place: &str, base: &str, db: &mut Option<String>) -> Result<Location> {
    let store = match scheme {
        "redis" => KydbStore::Redis(redis(scheme, place, db)?),
        "s3" => KydbStore::S3(named(place, "bucket")?),
        "dynamodb" => KydbStore::DynamoDb(named(place, "table")?),
        _ => {
            return Err(Error::usage(format!("`kydb+{scheme}://` is no kind of source"))
                .with_hint("there are `kydb+redis://`, `kydb+s3://` and `kydb+dynamodb://`"));
        }
    };
    let base = decode(base.trim_matches('/'))?;
    Ok(Location::Kydb { store, base })
}

fn file(rest: &str) -> Result<Location> {
    let wrong =
        || Error::usage(format!("`file://{rest}` names no area in a folder")).with_hint("`file:///FOLDER/AREA`");
    let path = decode(rest)?;
    let (root, area) = path.trim_end_matches('/').rsplit_once('/').ok_or_else(wrong)?;
    if !path.starts_with('/') || root.is_empty() {
        return Err(wrong());
    }
    Ok(Location::File {
        root: root.into(),
        area: area.parse()?,
    })
}

fn named(place: &str, what: &str) -> Result<String> {
    if place.is_empty() {
        return Err(Error::usage(format!("the source names no {what}")).with_hint(format!(
            "its name stands before the area: `…://{}/AREA`",
            what.to_uppercase()
        )));
    }
    decode(place)
}

fn area_of(text: &str) -> Result<Area> {
    decode(text)?.parse()
}

pub(super) fn decode(text: &str) -> Result<String> {
    let mut after = text.split('%').skip(1);
    let digits = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if !after.all(digits) {
        return Err(
            Error::usage(format!("{text:?} has a `%` that two hexadecimal digits do not follow"))
                .with_hint("`%` itself is written as `%25`"),
        );
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| Error::usage(format!("{text:?} is not UTF-8 once `%` is decoded")))
}
