//! A store in an S3 bucket: one object a key.

mod backend;
mod list;
mod object;

pub use backend::S3Store;
