//! Which Python runs a program, and whether that has the package.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use rstack::{Error, Result};
use tokio::process::Command;

/// Tells where the package keeps its `sitecustomize`, between [`MARK`]s and past `sys.stdout`: what runs when Python starts
/// or ends may print, or have changed it. The current folder is not looked into: a script's own folder would not be it
/// either.
const ASK: &str = "
import sys
if sys.path and sys.path[0] == '':
    del sys.path[0]
import os, rstack
site = os.path.join(os.path.dirname(os.path.abspath(rstack.__file__ or '')), '_site')
os.stat(os.path.join(site, 'sitecustomize.py'))
os.write(1, b'\\0rstack\\0' + os.fsencode(site) + b'\\0rstack\\0')
";

/// What no path has in it.
const MARK: &[u8] = b"\0rstack\0";

const INSTALL: &str = "install it for that Python: `python -m pip install .` in a clone of rstack";

/// As much of a script's first line as the system reads.
const FIRST_LINE: u64 = 256;

#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Interpreter(PathBuf);

impl Interpreter {
    /// The program itself; for a script the Python that it names, or else the one beside it; for any other program, which
    /// may start Python in its turn, the `python3` that it finds.
    ///
    /// # Errors
    /// Usage when there is no such program, or when its options keep Python from being told of a source.
    pub(in crate::cli) fn of(program: &OsStr, arguments: &[OsString]) -> Result<Self> {
        let Some(path) = found(program) else {
            let program = program.to_string_lossy();
            return Err(Error::usage(format!("there is no program `{program}`"))
                .with_hint("what follows `--` is a command, such as `python script.py`"));
        };
        if is_python(&path) {
            refuse_isolated(arguments)?;
            return Ok(Self(path));
        }
        let python = script(&path).and_then(|line| named_in(&line).or_else(|| beside(&path)));
        let python = python.or_else(|| found("python3".as_ref()));
        Ok(Self(python.unwrap_or_else(|| "python3".into())))
    }

    /// The package's folder with `sitecustomize`.
    ///
    /// # Errors
    /// When this Python does not start, or lacks the package.
    pub(in crate::cli) async fn site(&self) -> Result<PathBuf> {
        let output = Command::new(&self.0)
            .args(["-c", ASK])
            .stdin(Stdio::null())
            // Its own switching on would only take time here.
            .env_remove("RSTACK_SOURCE")
            .output()
            .await
            .map_err(|error| self.not_started(error))?;
        match answer(&output.stdout) {
            Some(site) if output.status.success() => Ok(OsString::from_vec(site.to_owned()).into()),
            _ => Err(self.lacking(&output)),
        }
    }

    fn not_started(&self, error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::NotFound {
            return Error::refused(format!("there is no `{}` to import with", self.0.display()))
                .with_hint("put Python 3.10 or newer, with the package `rstack`, into PATH");
        }
        Error::file("run", &self.0, error)
    }

    fn lacking(&self, output: &Output) -> Error {
        let python = self.0.display();
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("it said nothing");
        if last.contains("No module named 'rstack'") {
            return Error::refused(format!("`{python}` has no package `rstack`")).with_hint(INSTALL);
        }
        Error::refused(format!("`{python}` cannot use the package `rstack`: {last}")).with_hint(INSTALL)
    }
}

/// What stands between the first two marks.
fn answer(stdout: &[u8]) -> Option<&[u8]> {
    let mark = |bytes: &[u8]| bytes.windows(MARK.len()).position(|window| window == MARK);
    let told = &stdout[mark(stdout)? + MARK.len()..];
    Some(&told[..mark(told)?])
}

/// As the system finds it.
fn found(program: &OsStr) -> Option<PathBuf> {
    if Path::new(program).components().count() > 1 || program.as_encoded_bytes().contains(&b'/') {
        return Some(program.into()).filter(|path: &PathBuf| is_program(path));
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file()
}

/// `python`, `python3`, `python3.13t`, `pypy3`; not `python-config`.
fn is_python(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let version = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
    version.is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || ".td".contains(c)))
}

/// The first line of a script without its `#!`; `None` for other programs.
fn script(path: &Path) -> Option<String> {
    let mut line = Vec::new();
    let file = File::open(path).ok()?.take(FIRST_LINE);
    BufReader::new(file).read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8_lossy(&line);
    line.strip_prefix("#!").map(str::to_owned)
}

/// The Python that runs a script, where its first line says so. In a folder with a long path it only names `sh`.
fn named_in(line: &str) -> Option<PathBuf> {
    let mut words = line.split_whitespace();
    let first = Path::new(words.next()?);
    let named = if first.file_name() == Some("env".as_ref()) {
        let name = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
        found(name.as_ref())?
    } else {
        first.to_owned()
    };
    (is_python(&named) && is_program(&named)).then_some(named)
}

fn beside(script: &Path) -> Option<PathBuf> {
    let names = ["python3", "python"].map(|name| script.with_file_name(name));
    names.into_iter().find(|path| is_program(path))
}

/// `-I` and `-E` hide PYTHONPATH from Python, and with `-S` it does not look for `sitecustomize`.
fn refuse_isolated(arguments: &[OsString]) -> Result<()> {
    let mut words = arguments.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if word == "--check-hash-based-pycs" {
            words.next();
            continue;
        }
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            return Ok(());
        };
        if letters.starts_with('-') {
            continue;
        }
        for (place, letter) in letters.char_indices() {
            match letter {
                'I' | 'E' | 'S' => {
                    return Err(isolated(letter));
                }
                // The rest of the word is code or a name, and what follows is the program's.
                'c' | 'm' => return Ok(()),
                'W' | 'X' => {
                    if place + 1 == letters.len() {
                        words.next();
                    }
                    break;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn isolated(letter: char) -> Error {
    if letter == 'S' {
        return Error::usage("`python -S` does not look for `sitecustomize`, by which imports are switched on")
            .with_hint("leave out `-S`");
    }
    Error::usage(format!(
        "`python -{letter}` ignores PYTHONPATH, by which imports are switched on"
    ))
    .with_hint(format!(
        "leave out `-{letter}`, or use `python -{letter} -m rstack run SCRIPT`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_python() {
        for (name, expected) in [
            ("/usr/bin/python3.13t", true),
            ("python", true),
            ("pypy3", true),
            ("python3-config", false),
            ("pythonw.sh", false),
            ("gunicorn", false),
        ] {
            assert_eq!(is_python(Path::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn the_answer_is_found_among_whatever_else_is_printed() {
        for (stdout, expected) in [
            (&b"\0rstack\0/a/_site\0rstack\0"[..], Some(&b"/a/_site"[..])),
            (b"hello\n\0rstack\0/a b\0rstack\0bye\n", Some(b"/a b")),
            (b"hello\n\0rstack\0/a", None),
            (b"/a/_site", None),
            (b"", None),
        ] {
            assert_eq!(answer(stdout), expected);
        }
    }

    #[test]
    fn options_that_hide_the_source_are_refused() {
        for (line, refused) in [
            ("script.py -I", false),
            ("-I script.py", true),
            ("-BE -m foo", true),
            ("-X importtime -S x.py", true),
            ("-Wignore -u x.py", false),
            ("-W ignore -c I", false),
            ("-mIES", false),
            ("-Xfrozen_modules=off -E x.py", true),
            ("--check-hash-based-pycs always -I x.py", true),
            ("", false),
        ] {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(refuse_isolated(&words).is_err(), refused, "{line}");
        }
    }
}
