//! Which of them.

use serde::Deserialize;

use super::{article, default};
use crate::config::Stores;
use crate::template::Template;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The three stores as `stores` in rstack.yaml wants them.
    #[default]
    Default,
    /// The article's three resources; what may be chosen are parameters.
    Article,
}

impl Preset {
    /// `stores` counts for the default preset only.
    #[must_use]
    pub fn template(self, stores: &Stores) -> Template {
        match self {
            Self::Default => default(stores),
            Self::Article => article(),
        }
    }
}
