//! Errors as Python's exceptions.

use std::time::Duration;

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt, PyTimeoutError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

use rstack::error::{Error as LibraryError, ErrorKind};

create_exception!(
    rstack,
    Error,
    PyException,
    "What kept rstack from doing its work. `hint` says what to do about it, if anything; `exit_code` is that of the \
     command line."
);

static TIMEOUT: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// What a deadline raises: an `Error`, and Python's own `TimeoutError` as well.
pub(super) fn timeout_type(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    let make = || {
        let bases = PyTuple::new(py, [py.get_type::<Error>(), py.get_type::<PyTimeoutError>()])?;
        let members = PyDict::new(py);
        members.set_item("__module__", "rstack")?;
        members.set_item("__doc__", "What was waited for did not come within the timeout.")?;
        let made = py.get_type::<PyType>().call1(("Timeout", bases, members))?;
        Ok::<_, PyErr>(made.cast_into::<PyType>()?.unbind())
    };
    Ok(TIMEOUT.get_or_try_init(py, make)?.bind(py))
}

/// What `what` names was not there in time.
pub(super) fn late(py: Python<'_>, what: &str, timeout: Duration) -> PyErr {
    let seconds = timeout.as_secs_f64();
    let error = LibraryError::refused(format!("{what} took longer than {seconds} s"))
        .with_hint("give it longer with `timeout=SECONDS`, or see whether the store can be reached");
    match timeout_type(py) {
        Ok(class) => described(py, error, |message| PyErr::from_type(class.clone(), message)),
        Err(raised) => raised,
    }
}

pub(super) fn raise(py: Python<'_>, error: LibraryError) -> PyErr {
    if matches!(*error.kind, ErrorKind::Interrupted(_)) {
        return PyKeyboardInterrupt::new_err(error.to_string());
    }
    described(py, error, Error::new_err)
}

/// An exception of the given class that says what the error says.
fn described(py: Python<'_>, error: LibraryError, new: impl FnOnce(String) -> PyErr) -> PyErr {
    let message = match &error.hint {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    };
    let raised = new(message);
    let value = raised.value(py);
    let described = value
        .setattr("exit_code", error.exit_code())
        .and_then(|()| value.setattr("hint", error.hint));
    described.err().unwrap_or(raised)
}
