//! Asking a person.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use rstack::interrupt::Interrupt;
use rstack::{Error, ErrorKind, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::line::Line;
use super::sink::Sink;
use super::style::{Role, Style};

/// How often an unanswered prompt looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// Whether somebody is there to answer.
pub(super) fn possible() -> bool {
    io::stdin().is_terminal()
}

pub(super) fn impossible(question: &str) -> Error {
    Error::usage(format!("nobody can be asked here: {question}")).with_hint("add `--yes` to answer yes")
}

/// Shows `question` and reads one line; anything but `expected` declines.
pub(super) fn confirm(err: &Sink, style: Style, interrupt: &Interrupt, question: &str, expected: &str) -> Result<()> {
    let (choice, wanted) = if expected == "y" {
        (" [y/N] ".to_owned(), None)
    } else {
        (format!("\ntype `{expected}` to go on: "), Some(expected))
    };
    let line = Line::new().and(Role::Strong, question).render(style);
    err.write(&format!("{line}{choice}"));
    let answer = read_line(interrupt).inspect_err(|_| err.write("\n"))?;
    let answer = answer.trim();
    let agreed = match wanted {
        Some(wanted) => answer == wanted,
        None => answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"),
    };
    if agreed {
        Ok(())
    } else {
        Err(ErrorKind::Declined.into())
    }
}

/// One line of the terminal, or what came before its end; never waits past an interrupt.
fn read_line(interrupt: &Interrupt) -> Result<String> {
    let stdin = io::stdin();
    let look = Timespec::try_from(LOOK).map_err(|e| Error::unexpected(format!("poll: {e}")))?;
    loop {
        if interrupt.requested() {
            return Err(ErrorKind::Interrupted("interrupted at the prompt; nothing was done".to_owned()).into());
        }
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&look)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => break,
            Err(error) => return Err(Error::file("read", "stdin", error.into())),
        }
    }
    let mut answer = String::new();
    let read = stdin
        .read_line(&mut answer)
        .map_err(|e| Error::file("read", "stdin", e))?;
    if read == 0 {
        // End of file leaves the cursor behind the question.
        let _ = io::stderr().write_all(b"\n");
    }
    Ok(answer)
}
