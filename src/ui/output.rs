//! One door for everything that is shown.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rstack::event::{Event, Reporter};
use rstack::interrupt::Interrupt;
use rstack::{Error, Outcome, Result};
use serde::Serialize;
use serde_json::Value;
use terminal_size::{Height, Width, terminal_size_of};

use super::plain::Plain;
use super::screen::Screen;
use super::sink::Sink;
use super::style::{Face, Style, Surroundings, width_of};
use super::tty::Tty;
use super::{json, prompt, words};
use crate::cli::Display;

/// Home, then erase to the end: without the flicker of erasing first and drawing later.
const CLEAR_SCREEN: &str = "\x1b[H\x1b[2J";

/// Where and how things are shown. stdout carries data only; everything else goes to stderr.
#[derive(Debug)]
pub(crate) struct Ui {
    view: View,
    out: Arc<Sink>,
    err: Arc<Sink>,
    out_style: Style,
    err_style: Style,
    quiet: bool,
    yes: bool,
    interrupt: Interrupt,
    /// The `result` or `error` object of the JSON form has been written.
    ended: AtomicBool,
}

#[derive(Debug)]
enum View {
    Live(Tty),
    Plain(Plain),
    Json,
}

impl Ui {
    pub(crate) fn new(display: &Display, interrupt: Interrupt) -> Self {
        let surroundings = Surroundings::read();
        let (out, err) = (Arc::new(Sink::new(io::stdout())), Arc::new(Sink::new(io::stderr())));
        let out_style = Style {
            color: surroundings.color(display, surroundings.stdout_terminal),
            width: width_of(io::stdout()),
            cut: surroundings.stdout_terminal,
        };
        let err_style = Style {
            color: surroundings.color(display, surroundings.stderr_terminal),
            width: width_of(io::stderr()),
            cut: surroundings.stderr_terminal,
        };
        let view = match surroundings.face(display.output) {
            Face::Live => View::Live(Tty::new(
                Arc::clone(&err),
                Screen::new(Arc::clone(&err), terminal),
                err_style,
                display.verbose,
            )),
            Face::Plain => View::Plain(Plain::new(Arc::clone(&err), err_style, display.verbose)),
            Face::Json => View::Json,
        };
        Self {
            view,
            out,
            err,
            out_style,
            err_style,
            quiet: display.quiet,
            yes: display.yes,
            interrupt,
            ended: AtomicBool::new(false),
        }
    }

    /// Ends a command: under JSON the one `result` object, otherwise `text` on stdout.
    pub(crate) fn finish<T: Serialize, B: AsRef<[u8]>>(
        &self,
        command: &'static str,
        value: &T,
        outcome: Outcome,
        text: impl FnOnce(Style) -> B,
    ) {
        self.clear();
        if matches!(self.view, View::Json) {
            if !self.ended.swap(true, Ordering::Relaxed) {
                self.out.write(&json::result(command, value, outcome));
            }
        } else {
            self.out.write(&text(self.out_style));
        }
    }

    /// Data before the end, such as a line of a log: under JSON an object of type `kind`, otherwise `text` on stdout.
    pub(crate) fn data<T: Serialize>(&self, kind: &'static str, value: &T, text: impl FnOnce(Style) -> String) {
        match &self.view {
            View::Json => self.out.write(&json::data(kind, value)),
            View::Plain(_) => self.out.write(&text(self.out_style)),
            View::Live(tty) => tty.above(|| self.out.write(&text(self.out_style))),
        }
    }

    /// Data that will be shown again, newer: under JSON an object of type `kind`; on a terminal `text` takes the place
    /// of what it showed; elsewhere it follows.
    pub(crate) fn refresh<T: Serialize>(&self, kind: &'static str, value: &T, text: impl FnOnce(Style) -> String) {
        let style = Style {
            width: width_of(io::stdout()),
            ..self.out_style
        };
        match &self.view {
            View::Json => self.out.write(&json::data(kind, value)),
            View::Live(_) if self.out_style.cut => self.out.write(&format!("{CLEAR_SCREEN}{}", text(style))),
            View::Live(_) | View::Plain(_) => self.out.write(&format!("{}\n", text(style))),
        }
    }

    /// Whoever read stdout has gone: nothing that is only shown needs to go on.
    pub(crate) fn reader_left(&self) -> bool {
        self.out.closed()
    }

    /// The command is over: shows the error if there is one, and gives the exit code.
    pub(crate) fn end(&self, ending: Result<Outcome>) -> u8 {
        self.clear();
        let ending = ending.and_then(|outcome| match self.out.failure() {
            Some(error) => Err(Error::file("write", "stdout", error)),
            None => Ok(outcome),
        });
        match ending {
            Ok(outcome) => {
                if matches!(self.view, View::Json) && !self.ended.swap(true, Ordering::Relaxed) {
                    self.out.write(&json::result("", &Value::Null, outcome));
                }
                outcome.exit_code()
            }
            Err(error) => {
                self.error(&error);
                error.exit_code()
            }
        }
    }

    /// Ends a command that failed: under JSON the one `error` object, otherwise lines on stderr.
    pub(crate) fn error(&self, error: &Error) {
        self.clear();
        if matches!(self.view, View::Json) && !self.ended.swap(true, Ordering::Relaxed) {
            self.out.write(&json::error(error));
        } else {
            for line in words::of_error(error) {
                self.err.write(&format!("{}\n", line.render(self.err_style)));
            }
        }
    }

    /// Asks before something is lost. `expected` is what a person has to type: "y", or the environment's name.
    ///
    /// # Errors
    /// Declined; or Usage when nobody can be asked and `--yes` was not given; or Interrupted.
    pub(crate) fn confirm(&self, question: &str, expected: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        let askable = !matches!(self.view, View::Json);
        let ask = || prompt::confirm(&self.err, self.err_style, &self.interrupt, question, expected);
        match &self.view {
            _ if !askable || !prompt::possible() => Err(prompt::impossible(question)),
            View::Live(tty) => {
                tty.clear();
                ask()
            }
            View::Plain(_) | View::Json => ask(),
        }
    }

    /// Whether `--yes` was given.
    pub(crate) fn answers_yes(&self) -> bool {
        self.yes
    }

    /// Whether [`Ui::confirm`] would really ask.
    pub(crate) fn asks(&self) -> bool {
        !self.yes && !matches!(self.view, View::Json) && prompt::possible()
    }

    /// Takes the live view away, from wherever the process is about to end.
    pub(crate) fn restore(&self) {
        if let View::Live(tty) = &self.view {
            tty.try_clear();
        }
    }

    fn clear(&self) {
        if let View::Live(tty) = &self.view {
            tty.clear();
        }
    }
}

impl Reporter for Ui {
    fn report(&self, event: &Event) {
        if self.quiet {
            return;
        }
        match &self.view {
            View::Live(tty) => tty.report(event),
            View::Plain(plain) => plain.report(event),
            View::Json => self.out.write(&json::event(event)),
        }
    }
}

/// Columns and rows of the terminal behind stderr.
fn terminal() -> (usize, usize) {
    terminal_size_of(io::stderr()).map_or((80, 24), |(Width(columns), Height(rows))| {
        (usize::from(columns), usize::from(rows))
    })
}
