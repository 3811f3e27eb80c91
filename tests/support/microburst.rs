//! Faults in the middle: microburst between the binary and a real server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::python::venv;

const REQUIREMENTS: [&str; 1] = ["microburst==0.10.0"];

/// A proxy that does what its rules say, and otherwise nothing. Dropping it stops it.
pub(crate) struct Microburst {
    process: Child,
    port: u16,
    control: u16,
}

impl Microburst {
    /// In front of an AWS endpoint.
    pub(crate) fn aws(upstream: &str) -> Self {
        let port = free_port();
        Self::start(port, port, &["--upstream", upstream])
    }

    /// In front of the Redis at this port.
    pub(crate) fn redis(upstream: u16) -> Self {
        let (port, control) = (free_port(), free_port());
        let (upstream, number) = (format!("127.0.0.1:{upstream}"), control.to_string());
        let options = [
            "--protocol",
            "redis",
            "--upstream",
            &upstream,
            "--control-port",
            &number,
        ];
        Self::start(port, control, &options)
    }

    fn start(port: u16, control: u16, options: &[&str]) -> Self {
        let process = venv(&REQUIREMENTS)
            .command("microburst")
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let proxy = Self {
            process: process.expect("microburst starts"),
            port,
            control,
        };
        let start = Instant::now();
        while proxy.call("GET", "/health", "").is_none() || TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "microburst does not listen");
            sleep(Duration::from_millis(20));
        }
        proxy
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on these and no others; the first one that matches a request is for it.
    pub(crate) fn rules(&self, rules: &Value) {
        let answer = self.call("POST", "/rules", &rules.to_string()).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        self.call("DELETE", "/fired", "").expect("an answer");
    }

    /// How often a rule did something since the rules were given.
    pub(crate) fn fired(&self) -> usize {
        let answer = self.call("GET", "/fired", "").expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let events: Value = serde_json::from_str(body).expect("JSON");
        events.as_array().expect("a list").len()
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.control)).ok()?;
        let head = format!(
            "{method} /_microburst{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer).filter(|answer| !answer.is_empty())
    }
}

impl Drop for Microburst {
    fn drop(&mut self) {
        // It would wait for the requests that a rule makes it hold.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.expect("a free port").port()
}
