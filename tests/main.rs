//! Every integration test in one binary: one file a command or topic.

mod bench;
mod cache;
mod config;
mod credentials;
mod demo;
mod down;
mod faults;
mod json;
mod key;
mod kydb;
mod local;
mod moving;
mod output;
mod outputs;
mod policy;
mod prune;
mod release;
mod scripted;
mod seed;
mod status;
mod store;
mod support;
mod template;
mod timeline;
mod up;
mod verify;
