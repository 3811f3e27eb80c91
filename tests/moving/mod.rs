//! `rstack rollback`, `rstack promote` and `rstack hotfix`, on environments of the local AWS.

mod hotfix;
mod promote;
mod rollback;
mod world;
