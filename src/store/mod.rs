//! Stores hold bytes by key. They know nothing of areas, releases or environments.

mod kind;

pub use kind::StoreKind;
