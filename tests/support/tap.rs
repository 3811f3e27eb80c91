//! A loopback proxy that counts what passes through it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Between clients and a server, until it is dropped with the process.
pub(crate) struct Tap {
    port: u16,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Request lines of HTTP.
    pub(crate) requests: u64,
    /// How often a client spoke up on a connection, at first or after the server had spoken.
    pub(crate) round_trips: u64,
}

impl Tap {
    /// In front of `host:port`.
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let counts = Arc::new(Mutex::new(Counts::default()));
        let (server, counting) = (server.to_owned(), Arc::clone(&counts));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&server).expect("the server listens");
                join(client, server, &counting);
            }
        });
        Self { port, counts }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What passed since it was asked last.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut *self.counts.lock().expect("unpoisoned"))
    }
}

fn join(client: TcpStream, server: TcpStream, counts: &Arc<Mutex<Counts>>) {
    let clones = (
        client.try_clone().expect("a clone"),
        server.try_clone().expect("a clone"),
    );
    let server_spoke = Arc::new(Mutex::new(true));
    let (spoke, counts) = (Arc::clone(&server_spoke), Arc::clone(counts));
    thread::spawn(move || {
        pass(client, server, |chunk| {
            let lines = chunk.windows(10).filter(|bytes| *bytes == b" HTTP/1.1\r").count();
            let turn = std::mem::take(&mut *server_spoke.lock().expect("unpoisoned"));
            let mut counts = counts.lock().expect("unpoisoned");
            counts.requests += lines as u64;
            counts.round_trips += u64::from(turn);
        });
    });
    thread::spawn(move || pass(clones.1, clones.0, |_| *spoke.lock().expect("unpoisoned") = true));
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut seen: impl FnMut(&[u8])) {
    let mut chunk = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        seen(&chunk[..count]);
        if to.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
