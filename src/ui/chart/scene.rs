//! What a chart consists of, before it is drawn.

use rstack::stack::Tone;

/// Shapes on a sheet; later ones lie above earlier ones. Coordinates are pixels from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Block {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        ink: Ink,
    },
    Line {
        from: (f64, f64),
        to: (f64, f64),
        ink: Ink,
    },
    /// On a line of text whose middle is at `y`.
    Text {
        x: f64,
        y: f64,
        size: f64,
        anchor: Anchor,
        ink: Ink,
        text: String,
    },
}

/// Where a text's `x` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Colours by what they mean. All of them stand out from the paper, which is part of every drawing: so a chart can be
/// read on a dark page as on a light one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Paper,
    Text,
    Faint,
    Grid,
    Good,
    Busy,
    Bad,
    Quiet,
    /// One of a few that are told apart by people who see no red or no green, too.
    Series(usize),
}

impl From<Tone> for Ink {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Good => Self::Good,
            Tone::Busy => Self::Busy,
            Tone::Bad => Self::Bad,
            Tone::Quiet => Self::Quiet,
        }
    }
}

impl Ink {
    const SERIES: [(u8, u8, u8); 6] = [
        (0, 114, 178),
        (213, 94, 0),
        (0, 140, 105),
        (180, 100, 150),
        (120, 120, 40),
        (90, 90, 90),
    ];

    /// Red, green and blue.
    pub(super) fn rgb(self) -> (u8, u8, u8) {
        match self {
            Self::Paper => (255, 255, 255),
            Self::Text => (31, 35, 40),
            Self::Faint => (89, 99, 110),
            Self::Grid => (209, 217, 224),
            Self::Good => (26, 127, 55),
            Self::Busy => (9, 105, 218),
            Self::Bad => (207, 34, 46),
            Self::Quiet => (129, 139, 152),
            Self::Series(number) => Self::SERIES[number % Self::SERIES.len()],
        }
    }
}

impl Scene {
    /// An empty sheet.
    pub(super) fn new(width: f64, height: f64) -> Self {
        let mut scene = Self {
            width,
            height,
            shapes: Vec::new(),
        };
        scene.block(0.0, 0.0, width, height, Ink::Paper);
        scene
    }

    pub(super) fn block(&mut self, x: f64, y: f64, width: f64, height: f64, ink: Ink) {
        self.shapes.push(Shape::Block {
            x,
            y,
            width,
            height,
            ink,
        });
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink) {
        self.shapes.push(Shape::Line { from, to, ink });
    }

    pub(super) fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, ink: Ink, text: impl Into<String>) {
        let (x, y) = at;
        let text = text.into();
        self.shapes.push(Shape::Text {
            x,
            y,
            size,
            anchor,
            ink,
            text,
        });
    }
}
