//! The contract of `Store`, on every backend, against the real servers.

mod backends;
mod contract;
mod leftovers;
mod scripted;

pub(crate) use leftovers::create_table;
