//! Bytecode that is published with the scripts: what an interpreter would otherwise compile each script to when it
//! imports it for the first time. Standard `.pyc` files that name the hash of their source (PEP 552), where Python
//! looks for them (PEP 3147): `foo/module1.py` is `foo/__pycache__/module1.cpython-311.pyc`.

mod compile;
mod interpreter;
mod worker;

pub use compile::{Compiled, Uncompilable, compile};
pub use interpreter::Interpreter;
