//! How long things take: loading a source in several ways, a single read, publishing.

mod delay;
mod load;
mod probe;
mod scratch;
mod spread;
mod subject;
mod way;

pub use delay::DelayProxy;
pub use load::{Bench, Measured};
pub use scratch::{Filling, ScratchAreas, ScratchCache, fill};
pub use spread::Spread;
pub use subject::{Held, Standing, Subject, Target};
pub use way::Way;
