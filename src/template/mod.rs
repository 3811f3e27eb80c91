//! CloudFormation templates as types. A reference is made from the handle of something already added, so that one to
//! a missing resource cannot be written; functions have the long form only, so that YAML and JSON say the same.
//!
//! The property types hold what the presets use, under the names and with the values of CloudFormation's resource
//! reference; an absent option is left to AWS.

mod document;
pub mod dynamodb;
pub mod ec2;
pub mod elasticache;
mod entries;
mod intrinsic;
pub mod presets;
mod resource;
pub mod s3;
pub mod secretsmanager;
mod yaml;

pub use document::{Format, Output, Parameter, ParameterDefault, ParameterType, Template};
pub use intrinsic::{Condition, GetAtt, If, Join, Ref, Sub, Text, Value};
pub use presets::Preset;
pub use resource::{Handle, Properties, Resource};
