//! The templates that rstack comes with.

mod article;
mod default;
mod preset;

pub use article::article;
pub use default::default;
pub use preset::Preset;
