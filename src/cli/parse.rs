//! From the process's arguments to a [`Cli`], or to what to show instead.

use std::error::Error as _;
use std::ffi::OsString;
use std::io::{self, Write};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ColorChoice, CommandFactory, FromArgMatches};
use rstack::Error;
use rstack::interrupt;

use super::{Cli, Display, Format, When};
use crate::ui::Ui;

/// Reads the arguments; help and versions are not run, so they touch neither the disk nor the network.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Cli, Unparsed> {
    let args: Vec<OsString> = args.collect();
    let color = match typed(&args, "--color") {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    };
    let json = typed(&args, "--output") == Some("json");
    Cli::command()
        .color(color)
        .try_get_matches_from(&args)
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| Unparsed {
            error: with_way_out(error),
            json,
        })
}

/// clap shows of a value's error the message only; the hint becomes one of its tips.
fn with_way_out(mut error: clap::Error) -> clap::Error {
    let ours = error.source().and_then(|cause| cause.downcast_ref::<Error>());
    if let Some(hint) = ours.and_then(|ours| ours.hint.clone()) {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    }
    error
}

/// Help, a version, or a usage error.
pub(crate) struct Unparsed {
    error: clap::Error,
    json: bool,
}

impl Unparsed {
    /// Shows it; gives the exit code.
    pub(crate) fn show(self) -> u8 {
        match self.error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                match self.error.print().and_then(|()| io::stdout().flush()) {
                    Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                        show(self.json, &Error::file("write", "stdout", error))
                    }
                    _ => 0,
                }
            }
            _ if self.json => show(true, &usage_error(&self.error)),
            _ => {
                // Nothing can be said when stderr is closed; the exit code still tells.
                let _ = self.error.print();
                2
            }
        }
    }
}

fn show(json: bool, error: &Error) -> u8 {
    let (_, interrupt) = interrupt::channel();
    let display = Display {
        output: if json { Format::Json } else { Format::Auto },
        color: When::Auto,
        quiet: false,
        verbose: false,
        yes: false,
    };
    Ui::new(&display, interrupt).error(error);
    error.exit_code()
}

/// clap's own words: the message is its first paragraph, its tips are the hint.
fn usage_error(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let mut paragraphs = text
        .split("\n\n")
        .map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "));
    let first = paragraphs.next().unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "no command is given",
        _ => first.trim_start_matches("error: "),
    };
    let tips: Vec<String> = paragraphs
        .filter_map(|p| Some(p.strip_prefix("tip: ")?.to_owned()))
        .collect();
    let hint = if tips.is_empty() {
        "see `rstack --help`".to_owned()
    } else {
        tips.join("; ")
    };
    Error::usage(message).with_hint(hint)
}

/// The value of `option` as it was typed, also on a command line that makes no sense.
fn typed<'a>(args: &'a [OsString], option: &str) -> Option<&'a str> {
    let args: Vec<&str> = args
        .iter()
        .filter_map(|arg| arg.to_str())
        .take_while(|arg| *arg != "--")
        .collect();
    args.iter()
        .enumerate()
        .rev()
        .find_map(|(i, arg)| match arg.strip_prefix(option)? {
            "" => args.get(i + 1).copied(),
            value => value.strip_prefix('='),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_value_that_is_refused_says_what_it_may_be() {
        let line = ["rstack", "seed", "--area", "../x"].map(OsString::from);
        let Err(unparsed) = parse(line.into_iter()) else {
            panic!("`../x` is an area")
        };
        let error = usage_error(&unparsed.error);
        assert!(error.to_string().contains("cannot be the name of an area"), "{error}");
        assert!(error.hint.is_some_and(|hint| hint.starts_with("a name such as `main`")));
    }

    #[test]
    fn json_is_noticed_on_a_command_line_that_does_not_parse() {
        let typed_in = |line: &str| {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            typed(&args, "--output").map(str::to_owned)
        };
        assert_eq!(typed_in("rstack up --bad --output json").as_deref(), Some("json"));
        assert_eq!(typed_in("rstack --output=json up").as_deref(), Some("json"));
        assert_eq!(
            typed_in("rstack --output plain up --output json").as_deref(),
            Some("json")
        );
        assert_eq!(typed_in("rstack run -- --output json"), None);
        assert_eq!(typed_in("rstack up --output"), None);
    }
}
