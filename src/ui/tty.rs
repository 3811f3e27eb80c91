//! The live view on a terminal: permanent lines scroll, what is under way is redrawn below them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rstack::event::Event;
use rstack::time::Timestamp;

use super::line::Line;
use super::live::Live;
use super::screen::Screen;
use super::sink::Sink;
use super::style::Style;
use super::words::{self, Weight};

/// Between two drawings. Work that takes less than this shows no live view at all, only its results.
const FRAME: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Tty {
    err: Arc<Sink>,
    style: Style,
    verbose: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    live: Live,
    screen: Screen,
    /// Present while something is drawn.
    bar: Option<ProgressBar>,
    /// A thread redraws.
    ticking: bool,
    frame: usize,
    color: bool,
}

impl Tty {
    pub(super) fn new(err: Arc<Sink>, screen: Screen, style: Style, verbose: bool) -> Self {
        let state = State {
            live: Live::default(),
            screen,
            bar: None,
            ticking: false,
            frame: 0,
            color: style.color,
        };
        Self {
            err,
            style,
            verbose,
            state: Arc::new(Mutex::new(state)),
        }
    }

    pub(super) fn report(&self, event: &Event) {
        let mut state = lock(&self.state);
        state.live.apply(event, Instant::now(), Timestamp::now());
        if let Some((weight, lines)) = words::of(event)
            && (weight == Weight::Normal || self.verbose)
        {
            let text: String = lines.iter().map(|line| self.permanent(line)).collect();
            state.above(|| self.err.write(&text));
        }
        if state.live.is_empty() {
            state.erase();
        } else if !state.ticking {
            state.ticking = true;
            let state = Arc::clone(&self.state);
            thread::spawn(move || tick(&state));
        }
    }

    fn permanent(&self, line: &Line) -> String {
        format!("{}\n", line.render(self.style))
    }

    /// Runs `write`, which writes whole lines to the terminal, above the live view.
    pub(super) fn above(&self, write: impl FnOnce()) {
        lock(&self.state).above(write);
    }

    /// Takes the live view away for good: the command is over, or somebody is asked something.
    pub(super) fn clear(&self) {
        let mut state = lock(&self.state);
        state.live.clear();
        state.erase();
    }

    /// The same from a signal handler's thread or a panic, where waiting for the lock could last for ever.
    pub(super) fn try_clear(&self) {
        if let Ok(mut state) = self.state.try_lock() {
            state.live.clear();
            state.erase();
        }
    }
}

impl State {
    fn draw(&mut self) {
        let (width, height) = self.screen.size();
        // The last column stays free: what is drawn there makes some terminals wrap.
        let columns = width.saturating_sub(1);
        let style = Style {
            color: self.color,
            width: columns,
            cut: true,
        };
        let lines = self
            .live
            .lines(columns, height, self.frame, Instant::now(), Timestamp::now());
        let text: Vec<String> = lines.iter().map(|line| line.render_within(style, columns)).collect();
        self.frame += 1;
        self.screen.settle();
        let screen = &self.screen;
        let bar = self.bar.get_or_insert_with(|| new_bar(screen));
        bar.set_message(text.join("\n"));
    }

    fn above(&mut self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => {
                self.screen.settle();
                bar.suspend(write);
            }
            None => write(),
        }
    }

    fn erase(&mut self) {
        if let Some(bar) = self.bar.take() {
            self.screen.settle();
            bar.finish_and_clear();
        }
    }
}

fn new_bar(screen: &Screen) -> ProgressBar {
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 20);
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::with_draw_target(None, target).with_style(style)
}

fn tick(state: &Mutex<State>) {
    loop {
        thread::sleep(FRAME);
        let mut state = lock(state);
        if state.live.is_empty() {
            state.ticking = false;
            return;
        }
        state.draw();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use indicatif::{InMemoryTerm, TermLike};
    use rstack::event::{LocalStep, Operation, OperationKind, PlannedResource};
    use rstack::stack::StackStatus;

    use super::*;
    use crate::ui::sink::tests::Buffer;

    fn tty(size: fn() -> (usize, usize)) -> (Tty, Buffer) {
        let buffer = Buffer::default();
        let sink = Arc::new(Sink::new(buffer.clone()));
        let style = Style {
            color: false,
            width: 80,
            cut: true,
        };
        (
            Tty::new(Arc::clone(&sink), Screen::new(sink, size), style, false),
            buffer,
        )
    }

    /// What a terminal of this size shows after all that was written.
    fn screen(buffer: &Buffer, columns: u16) -> String {
        let terminal = InMemoryTerm::new(12, columns);
        // The terminal's driver begins lines at the left.
        let bytes = buffer.text().replace("\r\n", "\n").replace('\n', "\r\n");
        terminal.write_str(&bytes).expect("memory");
        terminal.contents()
    }

    fn operation() -> Event {
        let resource = |name: &str| PlannedResource {
            logical_id: name.to_owned(),
            resource_type: "AWS::S3::Bucket".to_owned(),
        };
        Event::Operation(Operation {
            kind: OperationKind::Create,
            stack: "demo".to_owned(),
            stack_id: "arn".to_owned(),
            resources: vec![resource("bucket"), resource("other")],
            attached: false,
        })
    }

    #[test]
    fn permanent_lines_scroll_above_and_nothing_of_the_view_stays() {
        let (tty, buffer) = tty(|| (40, 12));
        tty.report(&operation());
        lock(&tty.state).draw();
        tty.report(&Event::Note {
            message: "by the way".to_owned(),
        });
        lock(&tty.state).draw();
        let shown = screen(&buffer, 40);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 4, "{shown}");
        assert_eq!(lines[0], "by the way");
        assert!(lines[1].starts_with("demo ░"), "{shown}");
        assert!(lines[2].starts_with("  bucket  waiting"), "{shown}");
        tty.report(&Event::Settled {
            stack: "demo".to_owned(),
            status: StackStatus::CreateComplete,
            seconds: 1.5,
        });
        assert_eq!(
            screen(&buffer, 40),
            "by the way\nstack `demo` CREATE_COMPLETE after 1.5 s"
        );
    }

    #[test]
    fn clearing_leaves_the_cursor_visible_at_the_start_of_an_empty_line() {
        let (tty, buffer) = tty(|| (40, 12));
        tty.report(&operation());
        lock(&tty.state).draw();
        tty.clear();
        assert_eq!(screen(&buffer, 40), "");
        assert!(!buffer.text().contains("\x1b[?25l"), "the cursor is never hidden");
        tty.report(&Event::Note {
            message: "after".to_owned(),
        });
        assert_eq!(screen(&buffer, 40), "after");
    }

    #[test]
    fn a_window_made_narrower_keeps_nothing_of_the_wider_view() {
        static COLUMNS: AtomicUsize = AtomicUsize::new(80);
        let (tty, buffer) = tty(|| (COLUMNS.load(Ordering::Relaxed), 12));
        let step = LocalStep::Installing {
            package: "ministack".to_owned(),
        };
        tty.report(&Event::Local(step));
        lock(&tty.state).draw();
        let wide = buffer.text();
        COLUMNS.store(40, Ordering::Relaxed);
        lock(&tty.state).draw();
        let narrow = buffer.text().split_off(wide.len());
        // The terminal has wrapped the one long line into two rows, and kept the cursor at its beginning.
        let terminal = InMemoryTerm::new(12, 40);
        terminal.write_str(&format!("{wide}\x1b[1A{narrow}")).expect("memory");
        let shown = terminal.contents();
        assert_eq!(shown.lines().count(), 1, "{shown}");
        assert!(shown.ends_with('…'), "{shown}");
    }

    #[test]
    fn work_shorter_than_a_frame_draws_no_view() {
        let (tty, buffer) = tty(|| (40, 12));
        tty.report(&operation());
        tty.report(&Event::Settled {
            stack: "demo".to_owned(),
            status: StackStatus::CreateComplete,
            seconds: 0.02,
        });
        assert_eq!(buffer.text(), "stack `demo` CREATE_COMPLETE after 0.02 s\n");
    }
}
