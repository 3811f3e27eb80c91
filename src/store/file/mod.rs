//! A store in a folder: one file a key, readable by any other tool.

mod backend;
mod names;
mod walk;

pub use backend::FileStore;
