//! A network's delay on a machine that has none: a proxy on loopback that holds back what the server says.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::store::StoreKind;

const CHUNK: usize = 256 * 1024;
/// Sleeping ends later than asked, by about this; the rest is waited for without.
const OVERSLEEPING: Duration = Duration::from_micros(200);
/// Round trips by the proxy and without it, in turns.
const TRIPS: usize = 11;
/// A busy moment of the machine gets another chance.
const TRIES: usize = 5;
const PATIENCE: Duration = Duration::from_secs(5);

/// Each round trip by way of it takes so much longer; much data at once takes no longer than without it. Connecting is
/// not delayed. Dropping it takes no more connections; those there are end with their ends.
#[derive(Debug)]
pub struct DelayProxy {
    store: StoreKind,
    upstream: SocketAddr,
    address: SocketAddr,
    delay: Duration,
    closed: Arc<AtomicBool>,
}

impl DelayProxy {
    /// Before a server of a store on this machine.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub fn before(store: StoreKind, upstream: SocketAddr, delay: Duration) -> Result<Self> {
        let failed = |error: io::Error| Error::local(format!("the proxy before {store} does not start: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let closed = Arc::new(AtomicBool::new(false));
        let proxy = Self {
            store,
            upstream,
            address,
            delay,
            closed: Arc::clone(&closed),
        };
        thread::spawn(move || {
            for client in listener.incoming() {
                if closed.load(Ordering::Relaxed) {
                    return;
                }
                // One that fails is the client's to notice.
                let _ = client.and_then(|client| join(client, upstream, delay));
            }
        });
        Ok(proxy)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Measures how much longer a round trip takes by way of it, in seconds. Blocks for a moment.
    ///
    /// # Errors
    /// When that is not what was asked for, give or take a tenth (or 0.3 ms), or the server does not answer.
    pub fn check(&self) -> Result<f64> {
        let mut added = 0.0;
        let wanted = self.delay.as_secs_f64();
        for _ in 0..TRIES {
            let trips: io::Result<Vec<f64>> = (0..TRIPS)
                .map(|_| Ok(self.trip(self.address)?.as_secs_f64() - self.trip(self.upstream)?.as_secs_f64()))
                .collect();
            let mut trips = trips.map_err(|error| {
                Error::local(format!(
                    "{} does not answer by way of the proxy before it: {error}",
                    self.store
                ))
            })?;
            trips.sort_by(f64::total_cmp);
            added = trips[TRIPS / 2];
            if (added - wanted).abs() <= (wanted / 10.0).max(0.0003) {
                return Ok(added);
            }
        }
        Err(Error::local(format!(
            "the proxy before {} adds {:.2} ms, and not {:.2} ms",
            self.store,
            added * 1000.0,
            wanted * 1000.0
        ))
        .with_hint("this machine is busy with something else; again when it is quiet"))
    }

    /// A question and its answer on a connection that was used before.
    fn trip(&self, address: SocketAddr) -> io::Result<Duration> {
        let question: &[u8] = match self.store {
            StoreKind::Redis => b"PING\r\n",
            _ => b"GET /_none HTTP/1.1\r\nHost: localhost\r\n\r\n",
        };
        let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
        connection.set_nodelay(true)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let mut answer = vec![0; CHUNK];
        let mut ask = |connection: &mut TcpStream| {
            let start = Instant::now();
            connection.write_all(question)?;
            match connection.read(&mut answer)? {
                0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                _ => Ok(start.elapsed()),
            }
        };
        ask(&mut connection)?;
        // What else there is of the answer must not be taken for the next one.
        connection.set_read_timeout(Some(self.delay.max(Duration::from_millis(1))))?;
        while connection.read(&mut vec![0; CHUNK]).is_ok_and(|length| length > 0) {}
        connection.set_read_timeout(Some(PATIENCE))?;
        ask(&mut connection)
    }
}

impl Drop for DelayProxy {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect_timeout(&self.address, PATIENCE);
    }
}

fn join(client: TcpStream, upstream: SocketAddr, delay: Duration) -> io::Result<()> {
    let server = TcpStream::connect_timeout(&upstream, PATIENCE)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut asking, mut asked) = (client.try_clone()?, server.try_clone()?);
    let (waiting, due) = channel();
    thread::spawn(move || {
        let _ = io::copy(&mut asking, &mut asked);
        let _ = asked.shutdown(Shutdown::Write);
    });
    thread::spawn(move || hold_back(server, delay, &waiting));
    thread::spawn(move || deliver(client, &due));
    Ok(())
}

fn hold_back(mut server: TcpStream, delay: Duration, waiting: &Sender<(Instant, Vec<u8>)>) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(length @ 1..) = server.read(&mut chunk) {
        if waiting
            .send((Instant::now() + delay, chunk[..length].to_vec()))
            .is_err()
        {
            return;
        }
    }
}

fn deliver(mut client: TcpStream, due: &Receiver<(Instant, Vec<u8>)>) {
    for (when, chunk) in due {
        while let Some(left) = when
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
        {
            thread::sleep(left.saturating_sub(OVERSLEEPING));
        }
        if client.write_all(&chunk).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_takes_longer_by_what_was_asked() {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let upstream = server.local_addr().expect("an address");
        thread::spawn(move || {
            for client in server.incoming() {
                let mut client = client.expect("a client");
                thread::spawn(move || {
                    let mut asked = [0; 64];
                    while matches!(client.read(&mut asked), Ok(1..)) {
                        client.write_all(b"+PONG\r\n").expect("a reader");
                    }
                });
            }
        });
        let proxy = DelayProxy::before(StoreKind::Redis, upstream, Duration::from_millis(5)).expect("a proxy");
        let added = proxy.check().expect("the delay asked for");
        assert!((0.0045..0.0055).contains(&added), "{added}");
        let address = proxy.address();
        drop(proxy);
        thread::sleep(Duration::from_millis(50));
        assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    }
}
