//! A throw-away home for Python code in AWS: an S3 bucket, a DynamoDB table and an ElastiCache Redis as one
//! CloudFormation stack.
//!
//! | module | what it is |
//! |---|---|
//! | [`config`] | `rstack.yaml` |
//! | [`settings`] | flags, environment, `rstack.yaml` and defaults, resolved in one place |
//! | [`aws`] | settings to SDK clients, SDK errors to ours |
//! | [`template`] | the typed template and its presets |
//! | [`stack`] | one stack's life: status, up, watch, down |
//! | [`status`] | what an environment is right now |
//! | [`store`] | bytes by key, in S3, DynamoDB, Redis, a folder, memory |
//! | [`bytecode`] | what interpreters make of scripts, published with them |
//! | [`publish`] | a directory of files into an area of the stores |
//! | [`policy`] | least-privilege IAM policies |
//! | [`release`] | releases of an area: publishing them, moving the marker, reading them |
//! | [`pull`] | a source as files in a directory |
//! | [`mod@bench`] | how long loading a source takes |
//! | [`local`] | the AWS on this machine |
//! | [`folders`] | where rstack keeps things on this machine |
//! | [`trust`] | keys and signatures |
//! | [`shell`] | words for a POSIX shell |
//! | [`event`], [`error`], [`interrupt`], [`time`], [`traffic`] | what happened, what went wrong, when to stop, when it was, what was asked |
//!
//! The library returns values and reports events; it never prints, never parses arguments and never exits.

#![deny(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

pub mod aws;
pub mod bench;
pub mod bytecode;
pub mod config;
pub mod error;
pub mod event;
pub mod folders;
pub mod interrupt;
pub mod local;
pub mod policy;
pub mod publish;
pub mod pull;
pub mod release;
pub mod settings;
pub mod shell;
pub mod stack;
pub mod status;
pub mod store;
pub mod template;
pub mod time;
pub mod traffic;
pub mod trust;
pub mod underway;

pub use error::{Error, ErrorKind, Outcome, Result};
