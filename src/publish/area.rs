//! Areas: where in a store files lie.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, Result};

/// Where rstack keeps its own records, in an area and beside all areas.
pub(crate) const RECORDS: &str = ".rstack";

/// In bytes: a file's path has to fit behind it in a key of S3.
const LONGEST: usize = 512;

/// The name of an area: `main`, `uat`, `home/tony.yum`. Keys in it begin with the name and a slash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Area(String);

impl Area {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of a file.
    #[must_use]
    pub fn key(&self, path: &str) -> String {
        format!("{}/{path}", self.0)
    }

    /// The path of a key in this area.
    #[must_use]
    pub fn path<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_prefix(&self.0)?.strip_prefix('/')
    }

    /// One lies inside the other, so that their files could get in each other's way.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self != other && (other.path(&self.0).is_some() || self.path(&other.0).is_some())
    }

    /// Of the list of the plain files that were written.
    pub(crate) fn ledger_key(&self) -> String {
        self.key(&format!("{RECORDS}/files"))
    }
}

impl Default for Area {
    fn default() -> Self {
        Self("main".to_owned())
    }
}

impl FromStr for Area {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fine = |name: &str| !matches!(name, "" | "." | "..") && name != RECORDS && !name.contains(char::is_control);
        if text.len() <= LONGEST && text.split('/').all(fine) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::usage(format!("{text:?} cannot be the name of an area")).with_hint(
            "a name such as `main`, or several with `/` between them such as `home/tony.yum`; none of them is empty, `.`, \
             `..` or `.rstack`",
        ))
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Area {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Area {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(text: &str) -> Area {
        text.parse().expect(text)
    }

    #[test]
    fn names() {
        for good in ["main", "home/tony.yum", "a/b-c/d_e", ".hidden", "ünï code"] {
            area(good);
        }
        for bad in [
            "",
            "/main",
            "main/",
            "a//b",
            "..",
            "a/./b",
            ".rstack",
            "a/.rstack/b",
            "a\n",
        ] {
            assert!(bad.parse::<Area>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_area_inside_another() {
        assert!(area("home").overlaps(&area("home/tony.yum")));
        assert!(area("home/tony.yum").overlaps(&area("home")));
        assert!(!area("home").overlaps(&area("homes/x")));
        assert!(!area("home").overlaps(&area("home")));
    }

    #[test]
    fn keys_and_paths() {
        assert_eq!(area("home/me").key("foo/a.py"), "home/me/foo/a.py");
        assert_eq!(area("home/me").path("home/me/foo/a.py"), Some("foo/a.py"));
        assert_eq!(area("home/me").path("home/meme/foo"), None);
    }
}
