//! A store in a folder: one file a key, readable by any other tool.

mod backend;
mod names;

pub use backend::FileStore;
