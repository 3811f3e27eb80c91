//! The extension module `rstack._native`: what the Python package needs of the library.
//!
//! Work runs on a thread of its own that never calls Python, while the caller waits detached from the interpreter. What
//! belongs to a process (threads, connections) is left alone by its forks, which make their own.

mod code;
mod error;
mod index;
mod loader;
mod process;
mod runtime;
mod source;
mod told;
mod world;

use pyo3::prelude::*;

#[pymodule(name = "_native", gil_used = false)]
mod native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::code::Code;
    #[pymodule_export]
    use super::error::Error;
    #[pymodule_export]
    use super::loader::Runner;
    #[pymodule_export]
    use super::source::{Source, open};
    #[pymodule_export]
    use super::told::{Change, Member, Move};

    /// For `atexit`.
    #[pyfunction]
    fn finish(py: Python<'_>) {
        py.detach(super::runtime::Runtime::finish);
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let atexit = module.py().import("atexit")?;
        atexit.call_method1("register", (module.getattr("finish")?,))?;
        module.add("Timeout", super::error::timeout_type(module.py())?)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
