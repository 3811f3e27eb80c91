//! Every integration test in one binary: one file a command or topic.

mod local;
mod scripted;
mod store;
mod support;
mod template;
