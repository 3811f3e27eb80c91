//! Charts: laid out once as shapes, drawn as SVG or PNG; and the same figures as blocks for the terminal.

mod bars;
mod blocks;
mod draw;
mod font;
mod scale;
mod scene;
mod timeline;

pub(crate) use bars::{Bar, BarChart, Group, Times};
pub(crate) use draw::Picture;
pub(crate) use scene::Ink;
pub(crate) use timeline::{draw as draw_timeline, words as timeline_words};
