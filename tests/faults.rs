//! Faults in the middle, between the binary and real servers: it neither lies nor hangs.

mod aws;
mod redis;
mod world;
