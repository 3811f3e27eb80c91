//! A store in a Redis: one plain string a key.

mod address;
mod backend;
mod connection;

pub use address::RedisAddress;
pub use backend::RedisStore;
