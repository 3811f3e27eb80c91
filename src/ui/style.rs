//! Colour by role, and what kind of view fits where the output goes.

use std::env;
use std::io::{self, IsTerminal};

use anstyle::{AnsiColor, Effects};
use rstack::stack::Tone;
use terminal_size::{Width, terminal_size_of};

use super::text;
use crate::cli::{Display, Format, When};

/// What a piece of text means; the colour follows from it, and only from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    Good,
    Busy,
    Bad,
    /// Of less interest: times, types, what is over.
    Quiet,
    /// Headings, names.
    Strong,
    Warning,
    Hint,
}

impl From<Tone> for Role {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Good => Self::Good,
            Tone::Busy => Self::Busy,
            Tone::Bad => Self::Bad,
            Tone::Quiet => Self::Quiet,
        }
    }
}

impl Role {
    fn ansi(self) -> anstyle::Style {
        let style = anstyle::Style::new();
        match self {
            Self::Plain => style,
            Self::Good => style.fg_color(Some(AnsiColor::Green.into())),
            Self::Busy | Self::Hint => style.fg_color(Some(AnsiColor::Cyan.into())),
            Self::Bad => style.fg_color(Some(AnsiColor::Red.into())).bold(),
            Self::Quiet => style.effects(Effects::DIMMED),
            Self::Strong => style.bold(),
            Self::Warning => style.fg_color(Some(AnsiColor::Yellow.into())),
        }
    }
}

/// How to write to one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) color: bool,
    /// Columns to fill; 80 when the output is not a terminal.
    pub(crate) width: usize,
    /// Long cells may be cut to fit: only on a terminal, so that a pipe loses nothing.
    pub(crate) cut: bool,
}

impl Style {
    /// `text` in the colour of its role; control characters in it are escaped.
    pub(crate) fn paint(self, role: Role, text: &str) -> String {
        let text = text::clean(text);
        if self.color && role != Role::Plain {
            let ansi = role.ansi();
            format!("{ansi}{text}{ansi:#}")
        } else {
            text.into_owned()
        }
    }
}

/// The three faces of the same facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Live,
    Plain,
    Json,
}

/// What is known about where the output goes.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each read from its own place"
)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Surroundings {
    pub(crate) stdout_terminal: bool,
    pub(crate) stderr_terminal: bool,
    /// Some continuous-integration services pretend to be terminals.
    pub(crate) ci: bool,
    /// `TERM=dumb`: a terminal that moves no cursor.
    pub(crate) dumb: bool,
    /// `NO_COLOR` is set to something.
    pub(crate) no_color: bool,
    /// `CLICOLOR_FORCE` is set to something but 0.
    pub(crate) force_color: bool,
}

impl Surroundings {
    pub(super) fn read() -> Self {
        let set = |key: &str| env::var_os(key).is_some_and(|value| !value.is_empty());
        let on = |key: &str| set(key) && env::var_os(key).is_some_and(|value| value != "0" && value != "false");
        Self {
            stdout_terminal: io::stdout().is_terminal(),
            stderr_terminal: io::stderr().is_terminal(),
            ci: on("CI"),
            dumb: env::var_os("TERM").is_some_and(|term| term == "dumb"),
            no_color: set("NO_COLOR"),
            force_color: on("CLICOLOR_FORCE"),
        }
    }

    pub(super) fn face(self, format: Format) -> Face {
        match format {
            Format::Json => Face::Json,
            Format::Auto if self.stderr_terminal && !self.ci && !self.dumb && !self.no_color => Face::Live,
            Format::Auto | Format::Plain => Face::Plain,
        }
    }

    /// Whether a stream gets colours. A flag wins over the environment, and `NO_COLOR` over `CLICOLOR_FORCE`.
    pub(super) fn color(self, display: &Display, terminal: bool) -> bool {
        match display.color {
            When::Always => true,
            When::Never => false,
            When::Auto if self.no_color || display.output != Format::Auto => false,
            When::Auto => self.force_color || (terminal && !self.ci && !self.dumb),
        }
    }
}

/// Columns of the terminal behind stdout or stderr, else `COLUMNS`, else 80; one that says 0 says nothing.
pub(super) fn width_of(stream: impl std::os::fd::AsFd) -> usize {
    let from_env = || env::var("COLUMNS").ok()?.parse().ok();
    terminal_size_of(stream)
        .map(|(Width(columns), _)| usize::from(columns))
        .filter(|columns| *columns > 0)
        .or_else(from_env)
        .filter(|columns| *columns > 0)
        .unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn display(output: Format, color: When) -> Display {
        Display {
            output,
            color,
            quiet: false,
            verbose: false,
            yes: false,
        }
    }

    const TERMINAL: Surroundings = Surroundings {
        stdout_terminal: true,
        stderr_terminal: true,
        ci: false,
        dumb: false,
        no_color: false,
        force_color: false,
    };

    #[test]
    fn only_a_willing_terminal_gets_the_live_view() {
        assert_eq!(TERMINAL.face(Format::Auto), Face::Live);
        for unwilling in [
            Surroundings {
                stderr_terminal: false,
                ..TERMINAL
            },
            Surroundings { ci: true, ..TERMINAL },
            Surroundings { dumb: true, ..TERMINAL },
            Surroundings {
                no_color: true,
                ..TERMINAL
            },
        ] {
            assert_eq!(unwilling.face(Format::Auto), Face::Plain, "{unwilling:?}");
        }
        assert_eq!(TERMINAL.face(Format::Plain), Face::Plain);
        assert_eq!(TERMINAL.face(Format::Json), Face::Json);
    }

    #[test]
    fn colour_follows_the_flag_then_the_environment_then_the_terminal() {
        let no_color = Surroundings {
            no_color: true,
            force_color: true,
            ..TERMINAL
        };
        let forced = Surroundings {
            force_color: true,
            ..Surroundings::default()
        };
        let auto = display(Format::Auto, When::Auto);
        assert!(TERMINAL.color(&auto, true));
        assert!(!TERMINAL.color(&auto, false));
        assert!(!no_color.color(&auto, true));
        assert!(no_color.color(&display(Format::Auto, When::Always), true));
        assert!(!TERMINAL.color(&display(Format::Auto, When::Never), true));
        assert!(forced.color(&auto, false));
        assert!(!TERMINAL.color(&display(Format::Plain, When::Auto), true));
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let style = Style {
            color: true,
            width: 80,
            cut: true,
        };
        assert_eq!(
            style.paint(Role::Plain, "a\x1b[2Jb\r\n\u{202e}c\u{9b}"),
            r"a\x1b[2Jb\r\n\u{202e}c\x9b"
        );
    }
}
