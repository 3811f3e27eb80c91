//! `rstack seed`.

mod basics;
mod broken;
mod django;
mod files;
mod moto;
mod redis;
mod world;
