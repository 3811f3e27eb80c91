//! Running a module's code, with no frame of rstack's own in its tracebacks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use pyo3::exceptions::{PyException, PyImportError, PySyntaxError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAny, PyDict, PyTuple};

/// What runs a code: functions of Python's own importer, and `exec`.
static PYTHON: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();

/// The base of the loader. The subclass gives `get_code(name)`, and `explain(exception)`, which says where a module came
/// from that failed.
#[derive(Debug, Default)]
#[pyclass(subclass, frozen, module = "rstack._native")]
pub(super) struct Runner {
    /// In nanoseconds.
    loading: AtomicU64,
    running: AtomicU64,
}

#[pymethods]
impl Runner {
    #[new]
    #[pyo3(signature = (*_arguments, **_named))]
    fn new(_arguments: &Bound<'_, PyTuple>, _named: Option<&Bound<'_, PyDict>>) -> Self {
        Self::default()
    }

    /// Runs the module. Python cuts the frames of its own importer out of a traceback when they end as they do here.
    fn exec_module(slf: &Bound<'_, Self>, module: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let start = Instant::now();
        let name = module.getattr("__name__")?;
        let code = match slf.call_method1("get_code", (&name,)) {
            Err(raised) => return Err(without_frames(py, raised)?),
            code => code?,
        };
        if code.is_none() {
            return Err(PyImportError::new_err(format!("there is no code for module {name}")));
        }
        let this = slf.get();
        let loaded = Instant::now();
        this.loading.store(nanoseconds(start, loaded), Ordering::Relaxed);
        let (call, exec) = PYTHON.get_or_try_init(py, || functions(py))?;
        let ran = call.call1(py, (exec, code, module.getattr("__dict__")?));
        this.running
            .store(nanoseconds(loaded, Instant::now()), Ordering::Relaxed);
        if let Err(raised) = &ran
            && raised.is_instance_of::<PyException>(py)
        {
            // The module's own exception counts, whatever goes wrong here.
            let _ = slf.call_method1("explain", (raised.value(py),));
        }
        ran.map(|_| ())
    }

    /// Seconds that finding the code took, and running it with all that it imported; 0 for what did not happen yet.
    #[getter]
    fn seconds(&self) -> (f64, f64) {
        #[expect(clippy::cast_precision_loss, reason = "nothing runs for so long that it shows")]
        let seconds = |time: &AtomicU64| time.load(Ordering::Relaxed) as f64 / 1e9;
        (seconds(&self.loading), seconds(&self.running))
    }
}

/// What is wrong with a module's source, or kept it from being read, as if rstack had no frames: none of them says more.
fn without_frames(py: Python<'_>, raised: PyErr) -> PyResult<PyErr> {
    let is_told = raised.is_instance_of::<PySyntaxError>(py)
        || raised.is_instance_of::<PyImportError>(py)
        // Of null bytes in a source.
        || raised.is_instance_of::<PyValueError>(py);
    if !is_told {
        return Ok(raised);
    }
    let value = raised.into_value(py);
    value.setattr(py, "__traceback__", py.None())?;
    Ok(PyErr::from_value(value.into_bound(py).into_any()))
}

fn functions(py: Python<'_>) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
    let call = py.import("_frozen_importlib")?.getattr("_call_with_frames_removed")?;
    let exec = py.import("builtins")?.getattr("exec")?;
    Ok((call.unbind(), exec.unbind()))
}

fn nanoseconds(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.duration_since(from).as_nanos()).unwrap_or(u64::MAX)
}
