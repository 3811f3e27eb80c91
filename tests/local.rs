//! The AWS on this machine.

mod broken;
mod life;
mod shown;
