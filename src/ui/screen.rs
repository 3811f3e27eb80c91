//! The terminal as indicatif draws on it. Lines are ended and erased rather than padded with spaces up to the edge:
//! padding would wrap, and stay behind as garbage, when the window becomes narrower.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::TermLike;

use super::sink::Sink;
use super::text;

/// Cheap to clone; the clones are one screen.
#[derive(Debug, Clone)]
pub(super) struct Screen(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    sink: Arc<Sink>,
    /// Columns and rows; asked at every drawing.
    size: fn() -> (usize, usize),
    width: usize,
    /// What to write at the next flush.
    pending: String,
    /// Columns that each line of the present drawing takes.
    drawn: Vec<usize>,
    /// A line is complete; the next text begins a new one.
    complete: bool,
}

impl Screen {
    pub(super) fn new(sink: Arc<Sink>, size: fn() -> (usize, usize)) -> Self {
        Self(Arc::new(Mutex::new(State {
            sink,
            size,
            width: size().0,
            pending: String::new(),
            drawn: Vec::new(),
            complete: false,
        })))
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.state().size)()
    }

    /// After a change of width the terminal may have wrapped what was drawn into more rows than indicatif will erase:
    /// erases them, and leaves the cursor where indicatif expects it.
    pub(super) fn settle(&self) {
        let mut state = self.state();
        let width = (state.size)().0.max(1);
        if width != state.width {
            state.width = width;
            let rows_of = |columns: &usize| columns.div_ceil(width).max(1);
            if let Some((_, above)) = state.drawn.split_last()
                && state.drawn.iter().any(|columns| *columns > width)
            {
                // The cursor stands at the beginning of the last line.
                let rows: usize = above.iter().map(rows_of).sum();
                let up = if rows > 0 {
                    format!("\x1b[{rows}A")
                } else {
                    String::new()
                };
                let text = format!("\r{up}\x1b[J{}", "\n".repeat(above.len()));
                state.sink.write(&text);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, text: &str) {
        self.state().pending.push_str(text);
    }

    fn step(&self, n: usize, direction: char) {
        if n > 0 {
            self.push(&format!("\x1b[{n}{direction}"));
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        u16::try_from(self.size().0).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        u16::try_from(self.size().1).unwrap_or(u16::MAX)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.state().complete = false;
        self.step(n, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.step(n, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.step(n, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.step(n, 'D');
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.push(&format!("{text}\r\n"));
        Ok(())
    }

    /// indicatif writes a line and then the spaces that fill it.
    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut state = self.state();
        if text.trim_matches(' ').is_empty() {
            state.pending.push_str("\x1b[K");
            state.complete = true;
            return Ok(());
        }
        if std::mem::take(&mut state.complete) {
            state.pending.push_str("\r\n");
        }
        state.pending.push_str(text);
        state.drawn.push(text::width(&without_escapes(text)));
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        let mut state = self.state();
        state.drawn.clear();
        state.complete = false;
        state.pending.push_str("\r\x1b[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut state = self.state();
        let mut pending = std::mem::take(&mut state.pending);
        if state.complete {
            // Not behind the last line: the "^C" that the terminal echoes there could wrap, and shift the view.
            pending.push('\r');
        }
        state.sink.write(&pending);
        Ok(())
    }
}

/// The text without colour sequences.
fn without_escapes(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
