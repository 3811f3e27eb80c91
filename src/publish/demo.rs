//! The demo scripts, so that there is something to publish from the start.

macro_rules! scripts {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../demo/", $path)))),*]
    };
}

/// Paths and contents, in the order of their paths.
pub(super) const SCRIPTS: &[(&str, &[u8])] = scripts![
    "foo/__init__.py",
    "foo/bar/__init__.py",
    "foo/bar/chunky.py",
    "foo/bar/module3.py",
    "foo/bar/module4.py",
    "foo/module1.py",
    "foo/module2.py",
];
