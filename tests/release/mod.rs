//! Releases: publishing, crashing, contending, reading.

mod advance;
mod apart;
mod bare;
mod cache;
mod commands;
mod contention;
mod corrupt;
mod counting;
mod crash;
mod diff;
mod faulty;
mod few;
mod large;
mod merging;
mod model;
mod pruning;
mod pull;
mod readers;
mod real;
mod repair;
mod seen;
mod signed;
mod stale;
mod verified;
mod world;
