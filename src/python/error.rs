//! Errors as Python's exceptions.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt};
use pyo3::prelude::*;

use crate::error::{Error as LibraryError, ErrorKind};

create_exception!(
    rstack,
    Error,
    PyException,
    "What kept rstack from doing its work. `hint` says what to do about it, if anything; `exit_code` is that of the \
     command line."
);

pub(super) fn raise(py: Python<'_>, error: LibraryError) -> PyErr {
    if matches!(*error.kind, ErrorKind::Interrupted(_)) {
        return PyKeyboardInterrupt::new_err(error.to_string());
    }
    let message = match &error.hint {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    };
    let raised = Error::new_err(message);
    let value = raised.value(py);
    let described = value
        .setattr("exit_code", error.exit_code())
        .and_then(|()| value.setattr("hint", error.hint));
    described.err().unwrap_or(raised)
}
