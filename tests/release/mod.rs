//! Releases: publishing, crashing, contending, reading.

mod bare;
mod commands;
mod contention;
mod corrupt;
mod crash;
mod diff;
mod faulty;
mod model;
mod pull;
mod real;
mod signed;
mod verified;
mod world;
