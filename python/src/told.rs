//! What Python is told of sources and releases.

use std::time::SystemTime;

use pyo3::prelude::*;

use rstack::release::{Location, Marker, Member as Opened};
use rstack::time::Timestamp;

/// One source of a union.
#[derive(Debug, Clone)]
#[pyclass(frozen, get_all, module = "rstack")]
pub(super) struct Member {
    /// Without a password.
    pub(super) url: String,
    /// None for what has no releases: folders, plain files, KYDB.
    pub(super) release: Option<String>,
    pub(super) author: Option<String>,
}

impl Member {
    pub(super) fn of(location: &Location, member: &Opened) -> Self {
        let marker = match member {
            Opened::Area(reader) => Some(reader.marker()),
            Opened::Folder(_) | Opened::Plain(_) => None,
        };
        Self {
            url: location.to_string(),
            release: marker.map(|marker| marker.release.to_string()),
            author: marker.map(|marker| marker.author.clone()),
        }
    }

    /// In words, for errors and notes.
    pub(super) fn named(&self) -> String {
        match &self.release {
            Some(release) => format!("release {release} of {}", self.url),
            None => self.url.clone(),
        }
    }
}

#[pymethods]
impl Member {
    fn __repr__(&self) -> String {
        format!("<{}>", self.named())
    }

    fn __str__(&self) -> String {
        self.named()
    }
}

/// One move of an area's marker.
#[derive(Debug, Clone)]
#[pyclass(frozen, get_all, module = "rstack")]
pub(super) struct Move {
    sequence: u64,
    /// "publish", "rollback", "promote", "sign" or "prune".
    kind: &'static str,
    release: String,
    author: String,
    reason: Option<String>,
    /// Seconds since 1970.
    timestamp: f64,
}

impl Move {
    pub(super) fn of(marker: &Marker) -> Self {
        Self {
            sequence: marker.sequence,
            kind: marker.kind.as_str(),
            release: marker.release.to_string(),
            author: marker.author.clone(),
            reason: marker.reason.clone(),
            timestamp: seconds(marker.time),
        }
    }
}

#[pymethods]
impl Move {
    /// When, as an aware `datetime` in UTC.
    #[getter]
    fn time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let datetime = py.import("datetime")?;
        let utc = datetime.getattr("timezone")?.getattr("utc")?;
        datetime
            .getattr("datetime")?
            .call_method1("fromtimestamp", (self.timestamp, utc))
    }

    fn __repr__(&self) -> String {
        let Self {
            sequence,
            kind,
            release,
            author,
            ..
        } = self;
        format!("<move {sequence}: {kind} {release} by {author}>")
    }
}

fn seconds(time: Timestamp) -> f64 {
    let epoch = Timestamp::from(SystemTime::UNIX_EPOCH);
    time.since(epoch).as_secs_f64()
}

/// What is different in a later release.
#[derive(Debug, Clone)]
#[pyclass(frozen, get_all, module = "rstack")]
pub(super) struct Change {
    pub(super) added: Vec<String>,
    pub(super) changed: Vec<String>,
    pub(super) removed: Vec<String>,
}
