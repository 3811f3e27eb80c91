//! A network's delay on a machine that has none: a proxy on loopback that holds back what the server says.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::probe::Probe;
use crate::error::{Error, Result};
use crate::store::StoreKind;

const CHUNK: usize = 256 * 1024;
/// Sleeping ends later than asked, by about this; the rest is waited for without.
const OVERSLEEPING: Duration = Duration::from_micros(200);
/// Round trips that one figure is the median of, where they take no time.
const TRIPS: u64 = 11;
/// How long those of one try may take together; one is made however long it takes.
const TRY: Duration = Duration::from_secs(1);
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
    /// How long answers are held back, in nanoseconds.
    held: Arc<AtomicU64>,
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
        let held = Arc::new(AtomicU64::new(nanoseconds(delay)));
        let closed = Arc::new(AtomicBool::new(false));
        let proxy = Self {
            store,
            upstream,
            address,
            delay,
            held: Arc::clone(&held),
            closed: Arc::clone(&closed),
        };
        thread::spawn(move || {
            for client in listener.incoming() {
                if closed.load(Ordering::Relaxed) {
                    return;
                }
                // One that fails is the client's to notice.
                let _ = client.and_then(|client| join(client, upstream, &held));
            }
        });
        Ok(proxy)
    }

    /// What it stands before.
    #[must_use]
    pub fn store(&self) -> StoreKind {
        self.store
    }

    /// Where the server listens that it stands before.
    #[must_use]
    pub fn upstream(&self) -> SocketAddr {
        self.upstream
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Measures how much longer a round trip takes by way of it, in seconds. What even the fastest takes too long is held
    /// back less from then on: the hops take time, and so does waking up what had to wait. `told` hears how many round
    /// trips were made, and of how many. Blocks, for the longer the longer the delay is.
    ///
    /// # Errors
    /// When that is not what was asked for, give or take a tenth (or 0.3 ms), or the server does not answer.
    pub fn check(&self, told: &dyn Fn(u64, u64)) -> Result<f64> {
        let unanswered = |error: io::Error| {
            let place = format!("{} does not answer by way of the proxy before it: {error}", self.store);
            Error::local(place)
        };
        let wanted = self.delay.as_secs_f64();
        let trips = trips(self.delay);
        let (mut done, mut added) = (0, 0.0);
        for attempt in 0..TRIES {
            let plain = Probe::connect(self.store, self.upstream, PATIENCE)
                .and_then(|mut probe| probe.times(TRIPS, || ()))
                .map_err(unanswered)?;
            let total = done + trips;
            let held = Probe::connect(self.store, self.address, PATIENCE + self.delay)
                .and_then(|mut probe| {
                    probe.times(trips, || {
                        told(done, total);
                        done += 1;
                    })
                })
                .map_err(unanswered)?;
            added = held.median - plain.median;
            let excess = held.least - plain.least - wanted;
            if attempt == 0 && excess > (wanted / 50.0).max(0.000_05) {
                self.trim(excess);
            } else if (added - wanted).abs() <= (wanted / 10.0).max(0.0003) {
                told(done, done);
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

    /// Holds back less by so many seconds from now on.
    fn trim(&self, seconds: f64) {
        let held = Duration::from_nanos(self.held.load(Ordering::Relaxed)).as_secs_f64();
        let held = Duration::try_from_secs_f64(held - seconds).unwrap_or_default();
        self.held.store(nanoseconds(held), Ordering::Relaxed);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Round trips of one try: an odd number, and the fewer the longer each takes.
fn trips(delay: Duration) -> u64 {
    let fitting = TRY.as_millis() / delay.as_millis().max(1);
    u64::try_from(fitting).unwrap_or(TRIPS).clamp(1, TRIPS) | 1
}

impl Drop for DelayProxy {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect_timeout(&self.address, PATIENCE);
    }
}

fn join(client: TcpStream, upstream: SocketAddr, held: &Arc<AtomicU64>) -> io::Result<()> {
    let server = TcpStream::connect_timeout(&upstream, PATIENCE)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut asking, mut asked) = (client.try_clone()?, server.try_clone()?);
    let (waiting, due) = channel();
    thread::spawn(move || {
        let _ = io::copy(&mut asking, &mut asked);
        let _ = asked.shutdown(Shutdown::Write);
    });
    let held = Arc::clone(held);
    thread::spawn(move || hold_back(server, &held, &waiting));
    thread::spawn(move || deliver(client, &due));
    Ok(())
}

fn hold_back(mut server: TcpStream, held: &AtomicU64, waiting: &Sender<(Instant, Vec<u8>)>) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(length @ 1..) = server.read(&mut chunk) {
        let when = Instant::now() + Duration::from_nanos(held.load(Ordering::Relaxed));
        if waiting.send((when, chunk[..length].to_vec())).is_err() {
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
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn a_long_delay_is_checked_by_few_round_trips() {
        let of = |milliseconds| trips(Duration::from_millis(milliseconds));
        assert_eq!(
            [0, 1, 30, 90, 200, 500, 2000, 10_000].map(of),
            [11, 11, 11, 11, 5, 3, 1, 1]
        );
    }

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
        let told = RefCell::new(Vec::new());
        let added = proxy
            .check(&|done, total| told.borrow_mut().push((done, total)))
            .expect("the delay asked for");
        assert!((0.0045..0.0055).contains(&added), "{added}");
        let told = told.into_inner();
        assert_eq!(told[0], (0, 11));
        assert!(told.last().is_some_and(|(done, total)| done == total), "{told:?}");
        let address = proxy.address();
        drop(proxy);
        thread::sleep(Duration::from_millis(50));
        assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    }
}
