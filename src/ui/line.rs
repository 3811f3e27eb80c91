//! A line as pieces of text with a role each: words first, colour last.

use super::style::{Role, Style};
use super::text;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line(Vec<(Role, String)>);

impl Line {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a piece. What comes from outside needs no care here: rendering escapes control characters.
    #[must_use]
    pub(crate) fn and(mut self, role: Role, text: impl Into<String>) -> Self {
        self.0.push((role, text.into()));
        self
    }

    #[must_use]
    pub(crate) fn plain(self, text: impl Into<String>) -> Self {
        self.and(Role::Plain, text)
    }

    /// The words alone.
    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Coloured, however long.
    pub(crate) fn render(&self, style: Style) -> String {
        self.0.iter().map(|(role, text)| style.paint(*role, text)).collect()
    }

    /// Coloured, cut to `columns` columns.
    pub(crate) fn render_within(&self, style: Style, columns: usize) -> String {
        let mut left = columns;
        let mut shown = String::new();
        for (role, piece) in &self.0 {
            let piece = text::clean(piece);
            let kept = text::cut(&piece, left);
            left -= text::width(&kept);
            shown.push_str(&style.paint(*role, &kept));
            if kept.len() < piece.len() {
                break;
            }
        }
        shown
    }

    /// Lines as they are shown, each with its end; cut only on a terminal.
    pub(crate) fn sheet(lines: &[Self], style: Style) -> String {
        let mut shown = String::new();
        for line in lines {
            shown.push_str(&if style.cut {
                line.render_within(style, style.width)
            } else {
                line.render(style)
            });
            shown.push('\n');
        }
        shown
    }
}
