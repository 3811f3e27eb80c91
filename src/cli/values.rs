//! Values that options of several commands take.

use clap::ValueEnum;
use rstack::template::Preset;

/// A preset as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PresetName {
    /// Bucket, table and Redis, private and small, with the options of rstack.yaml
    Default,
    /// The article's stack, with its names and sizes as parameters
    Article,
}

impl From<PresetName> for Preset {
    fn from(name: PresetName) -> Self {
        match name {
            PresetName::Default => Self::Default,
            PresetName::Article => Self::Article,
        }
    }
}
