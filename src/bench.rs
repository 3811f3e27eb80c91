//! How long things take.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use crate::aws::Aws;
use crate::error::Result;
use crate::event::Reporter;
use crate::interrupt::Interrupt;
use crate::release::{CacheOptions, Load, LocalCache, Opening, Source, SourceUrl};
use crate::trust::TrustedKeys;

/// How a source was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// With nothing of it on this machine.
    Cold,
    /// With all of it in the local cache.
    Warm,
}

/// Loading all of a source, some times over.
#[derive(Debug, Clone, Serialize)]
pub struct Loads {
    pub way: Way,
    pub files: u64,
    /// Of all files, unpacked.
    pub bytes: u64,
    /// In the order of the runs.
    pub seconds: Vec<f64>,
}

impl Loads {
    /// In seconds; of an even number of runs the mean of the two in the middle.
    #[must_use]
    pub fn median(&self) -> f64 {
        let mut seconds = self.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        let middle = seconds.len() / 2;
        match seconds.len() {
            0 => 0.0,
            even if even.is_multiple_of(2) => f64::midpoint(seconds[middle - 1], seconds[middle]),
            _ => seconds[middle],
        }
    }
}

/// What measuring takes.
pub struct Bench<'a> {
    pub url: &'a SourceUrl,
    pub trusted: &'a TrustedKeys,
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
}

impl Bench<'_> {
    /// Loads the source once: opens it and reads every file, from no connection at all to the last byte checked. Making
    /// clients is not counted.
    ///
    /// # Errors
    /// As opening and reading do.
    pub async fn load(&self, way: Way, aws: Option<&Aws>, folder: &ScratchCache, into: &mut Loads) -> Result<()> {
        if let Some(aws) = aws {
            let _ = (aws.s3(), aws.dynamodb());
        }
        let start = Instant::now();
        let cache = match way {
            Way::Cold => LocalCache::in_memory(),
            Way::Warm => folder.open(self.reporter),
        };
        let opening = Opening {
            aws,
            trusted: self.trusted,
            cache: &cache,
            load: Load::Everything,
            reporter: self.reporter,
            interrupt: self.interrupt,
        };
        let source = Source::open(self.url, &opening).await?;
        let listed = source.list();
        let paths: Vec<&str> = listed.keys().map(String::as_str).collect();
        let contents = source.read_many(&paths).await?;
        into.seconds.push(start.elapsed().as_secs_f64());
        into.files = contents.len() as u64;
        into.bytes = contents.iter().flatten().map(|content| content.len() as u64).sum();
        Ok(())
    }
}

impl Loads {
    #[must_use]
    pub fn none(way: Way) -> Self {
        Self {
            way,
            files: 0,
            bytes: 0,
            seconds: Vec::new(),
        }
    }
}

/// A cache of its own, which goes with this.
#[derive(Debug)]
pub struct ScratchCache(PathBuf);

impl ScratchCache {
    /// In the system's folder for temporary files; made when it is first used.
    #[must_use]
    pub fn new() -> Self {
        let name = format!("rstack-bench-{}-{:016x}", std::process::id(), fastrand::u64(..));
        Self(std::env::temp_dir().join(name))
    }

    fn open(&self, reporter: &dyn Reporter) -> Arc<LocalCache> {
        LocalCache::open(&CacheOptions::in_folder(&self.0), reporter)
    }
}

impl Default for ScratchCache {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for ScratchCache {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let median = |seconds: &[f64]| {
            let loads = Loads {
                seconds: seconds.to_vec(),
                ..Loads::none(Way::Cold)
            };
            (loads.median() * 10.0).round()
        };
        assert_eq!(
            (median(&[]), median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])),
            (0.0, 20.0, 25.0)
        );
    }
}
