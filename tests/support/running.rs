//! A process of `rstack` that a test can watch and signal.

use std::io::Read;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::Output;

/// Nothing that a test starts takes longer, except the first installation of the local AWS.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
    hidden: Vec<(String, String)>,
    /// Deleted once the process has ended.
    _world: TempDir,
}

struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Stream {
    fn read(mut from: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut chunk) {
                sink.lock().expect("unpoisoned").extend_from_slice(&chunk[..count]);
            }
        });
        Self { bytes, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("unpoisoned")).into_owned()
    }

    fn all(self) -> String {
        self.reader.join().expect("the reader ends");
        String::from_utf8_lossy(&self.bytes.lock().expect("unpoisoned")).into_owned()
    }
}

impl Running {
    pub(super) fn start(command: &mut Command, hidden: Vec<(String, String)>, world: TempDir) -> Self {
        let mut child = command.spawn().expect("the binary starts");
        let stdout = Stream::read(child.stdout.take().expect("piped"));
        let stderr = Stream::read(child.stderr.take().expect("piped"));
        Self {
            child,
            stdout,
            stderr,
            hidden,
            _world: world,
        }
    }

    /// Waits until `text` appears on stdout or stderr.
    pub(crate) fn until(&mut self, text: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (stdout, stderr) = (self.stdout.so_far(), self.stderr.so_far());
            if stdout.contains(text) || stderr.contains(text) {
                return self;
            }
            let ended = self.child.try_wait().expect("waitable");
            if ended.is_some() || Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("never said {text:?} ({ended:?})\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> &mut Self {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id");
        kill_process(pid, signal).expect("it can be signalled");
        self
    }

    /// Waits for the end, of the process and of its output.
    pub(crate) fn wait(mut self) -> Output {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("waitable") {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let (stdout, stderr) = (self.stdout.so_far(), self.stderr.so_far());
                panic!("did not end\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
            }
            thread::sleep(Duration::from_millis(2));
        };
        Output {
            status,
            stdout: self.stdout.all(),
            stderr: self.stderr.all(),
            hidden: self.hidden,
        }
    }
}
