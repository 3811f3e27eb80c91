//! Releases: publishing, crashing, contending, reading.

mod contention;
mod crash;
mod faulty;
mod model;
mod real;
mod signed;
mod world;
