//! Shapes to the bytes of a file.

use std::path::Path;

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, TextStyle};
use rstack::{Error, Result};

use super::font;
use super::scene::{Anchor, Ink, Scene, Shape};

/// Pixels of a PNG for each of a scene, so that it is sharp on fine screens.
const FINE: u32 = 2;

/// What a chart is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Picture {
    Svg,
    Png,
}

impl Picture {
    /// By the ending of a file's name.
    ///
    /// # Errors
    /// When it is neither `.svg` nor `.png`.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .map(str::to_lowercase);
        match ending.as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(Error::usage(format!(
                "`{}` is no name of a picture that can be drawn",
                path.display()
            ))
            .with_hint("end it with `.svg` or `.png`")),
        }
    }

    /// The whole file.
    pub(crate) fn draw(self, scene: &Scene) -> Result<Vec<u8>> {
        font::load()?;
        match self {
            Self::Svg => svg(scene),
            Self::Png => png(scene),
        }
    }
}

fn svg(scene: &Scene) -> Result<Vec<u8>> {
    let mut text = String::new();
    let area =
        SVGBackend::with_string(&mut text, (pixels(scene.width, 1), pixels(scene.height, 1))).into_drawing_area();
    paint(&area, scene, 1)?;
    drop(area);
    Ok(text.into_bytes())
}

fn png(scene: &Scene) -> Result<Vec<u8>> {
    let (width, height) = (pixels(scene.width, FINE), pixels(scene.height, FINE));
    let mut colors = vec![0; width as usize * height as usize * 3];
    let area = BitMapBackend::with_buffer(&mut colors, (width, height)).into_drawing_area();
    paint(&area, scene, FINE)?;
    drop(area);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|error| failed(&error))?;
    writer.write_image_data(&colors).map_err(|error| failed(&error))?;
    writer.finish().map_err(|error| failed(&error))?;
    Ok(bytes)
}

fn paint<B: DrawingBackend>(area: &DrawingArea<B, Shift>, scene: &Scene, fine: u32) -> Result<()> {
    for shape in &scene.shapes {
        let drawn = match shape {
            Shape::Block {
                x,
                y,
                width,
                height,
                ink,
            } => area.draw(&Rectangle::new(
                [place(*x, *y, fine), place(x + width, y + height, fine)],
                color(*ink).filled(),
            )),
            Shape::Line { from, to, ink } => area.draw(&PathElement::new(
                [place(from.0, from.1, fine), place(to.0, to.1, fine)],
                color(*ink).stroke_width(fine),
            )),
            Shape::Text {
                x,
                y,
                size,
                anchor,
                ink,
                text,
            } => {
                let anchor = match anchor {
                    Anchor::Start => HPos::Left,
                    Anchor::Middle => HPos::Center,
                    Anchor::End => HPos::Right,
                };
                let color = color(*ink);
                let style = TextStyle::from((font::FAMILY, size * f64::from(fine)).into_font());
                let style = style.color(&color).pos(Pos::new(anchor, VPos::Center));
                area.draw(&Text::new(text.as_str(), place(*x, *y, fine), style))
            }
        };
        drawn.map_err(|error| failed(&error))?;
    }
    area.present().map_err(|error| failed(&error))
}

fn color(ink: Ink) -> RGBColor {
    let (red, green, blue) = ink.rgb();
    RGBColor(red, green, blue)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a place on a sheet of a few thousand pixels"
)]
fn place(x: f64, y: f64, fine: u32) -> (i32, i32) {
    let fine = f64::from(fine);
    ((x * fine).round() as i32, (y * fine).round() as i32)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the size of a sheet of a few thousand pixels"
)]
fn pixels(length: f64, fine: u32) -> u32 {
    (length * f64::from(fine)).ceil() as u32
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::unexpected(format!("the chart cannot be drawn: {error}"))
}
