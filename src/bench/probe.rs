//! How long a round trip to a server takes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::store::StoreKind;

/// A connection to ask the same small question on, again and again without a pause, as programs do.
pub(super) struct Probe {
    connection: TcpStream,
    question: &'static [u8],
    /// What the answer ends with.
    ending: &'static [u8],
}

/// In seconds.
pub(super) struct Times {
    pub(super) least: f64,
    pub(super) median: f64,
}

impl Probe {
    /// # Errors
    /// When there is no connection within `patience`, which holds for answers too.
    pub(super) fn connect(store: StoreKind, address: SocketAddr, patience: Duration) -> io::Result<Self> {
        let connection = TcpStream::connect_timeout(&address, patience)?;
        connection.set_nodelay(true)?;
        connection.set_read_timeout(Some(patience))?;
        let (question, ending): (&[u8], &[u8]) = match store {
            StoreKind::Redis => (b"PING\r\n", b"\r\n"),
            // Its answer has no body.
            _ => (b"HEAD /_none HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\r\n\r\n"),
        };
        Ok(Self {
            connection,
            question,
            ending,
        })
    }

    /// So many round trips; `before` is called before each. The first on a connection is among them.
    ///
    /// # Errors
    /// When an answer does not come.
    pub(super) fn times(&mut self, trips: u64, mut before: impl FnMut()) -> io::Result<Times> {
        let trip = |_| {
            before();
            self.trip().map(|took| took.as_secs_f64())
        };
        let mut took = (0..trips.max(1)).map(trip).collect::<io::Result<Vec<f64>>>()?;
        took.sort_by(f64::total_cmp);
        Ok(Times {
            least: took[0],
            median: took[took.len() / 2],
        })
    }

    fn trip(&mut self) -> io::Result<Duration> {
        let (mut answer, mut chunk) = (Vec::new(), [0; 4096]);
        let start = Instant::now();
        self.connection.write_all(self.question)?;
        while !answer.ends_with(self.ending) {
            match self.connection.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                length => answer.extend_from_slice(&chunk[..length]),
            }
        }
        Ok(start.elapsed())
    }
}
