//! The lettering of charts.

use std::sync::OnceLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use rstack::{Error, Result};

use crate::ui::text::{cut_middle, width as columns_of};

/// What a viewer of an SVG uses instead, which has no font in it.
pub(super) const FAMILY: &str = "sans-serif";

/// Makes the font known to plotters.
pub(super) fn load() -> Result<()> {
    static LOADED: OnceLock<bool> = OnceLock::new();
    let load = || {
        let font = include_bytes!("../../../assets/DejaVuSans.ttf");
        register_font(FAMILY, FontStyle::Normal, font).is_ok()
    };
    if *LOADED.get_or_init(load) {
        Ok(())
    } else {
        Err(Error::unexpected("the font of charts cannot be read"))
    }
}

/// Pixels that a text takes from left to right; some more, as a viewer may have a wider font.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let font = FontDesc::new(FontFamily::Name(FAMILY), size, FontStyle::Normal);
    let measured = load().ok().and_then(|()| font.box_size(text).ok());
    measured.map_or_else(|| 0.6 * size * chars(text), |(width, _)| f64::from(width) * 1.04)
}

fn chars(text: &str) -> f64 {
    u32::try_from(text.chars().count()).map_or(f64::MAX, f64::from)
}

/// `text`, cut in its middle to fit into so many pixels: names that begin alike can still be told apart.
pub(super) fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let columns = (1..columns_of(text)).rev();
    let mut cut = columns.map(|columns| cut_middle(text, columns));
    let fitting = cut.find(|cut| width(cut, size) <= room);
    fitting.unwrap_or_default().into_owned()
}
