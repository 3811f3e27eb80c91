//! `rstack seed`.

mod basics;
mod broken;
mod compile;
mod django;
mod files;
mod moto;
mod redis;
mod world;
