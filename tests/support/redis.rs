//! Redis servers of a test's own: to be killed, stopped, emptied, with too little memory, with a password, with TLS.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rstack::store::RedisStore;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A `redis-server` that is killed when it is dropped.
pub(crate) struct Redis {
    process: Child,
    port: u16,
    _dir: TempDir,
}

impl Redis {
    pub(crate) fn start(options: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port");
        Self::start_on(free.port(), options)
    }

    /// Where another one was.
    pub(crate) fn start_at(url: &str) -> Self {
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
        Self::start_on(port.expect("a port"), &[])
    }

    fn start_on(port: u16, options: &[&str]) -> Self {
        let dir = TempDir::new().expect("a folder");
        let number = port.to_string();
        let listen: &[&str] = if options.contains(&"--tls-port") {
            &["--port", "0"]
        } else {
            &["--port", &number]
        };
        let server = ["redis-server", "valkey-server"].into_iter().find_map(|program| {
            Command::new(program)
                .args(listen)
                .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
                .arg(dir.path())
                .args(options.iter().map(|option| option.replace("PORT", &number)))
                .stdout(Stdio::null())
                .spawn()
                .ok()
        });
        let server = Self {
            process: server.expect("a Redis server is installed"),
            port,
            _dir: dir,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "Redis does not listen");
            sleep(Duration::from_millis(10));
        }
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Stops it where it is, or lets it go on.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process id"), signal).expect("it runs");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn store(&self) -> RedisStore {
        RedisStore::new(self.url().parse().expect("an address"))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
