//! `rstack down` and `rstack gc`.

mod real;
mod scripted;
