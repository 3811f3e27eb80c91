//! Everything that is shown: the only place that writes to stdout and stderr.

pub(crate) mod chart;
mod json;
mod line;
mod live;
mod meter;
mod output;
mod plain;
mod prompt;
pub(crate) mod removal;
mod screen;
mod sink;
mod style;
mod table;
pub(crate) mod text;
mod tty;
mod words;

pub(crate) use line::Line;
pub(crate) use output::Ui;
pub(crate) use style::{Role, Style};
pub(crate) use table::Table;
