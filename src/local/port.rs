//! Loopback ports.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::error::{Error, Result};

/// A port that nothing listens on. Another process may take it before our server does: servers are started again
/// on another one then.
pub(super) fn free() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|e| Error::local(format!("no free port on loopback: {e}")))?;
    Ok(listener.port())
}

/// Waits a moment until the port of a server that has died can be taken again; the system lets go of it last.
pub(super) async fn released(port: u16) {
    for _ in 0..20 {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Sends `request` to a loopback port and returns the answer up to where the other side closes or `enough` holds.
pub(super) async fn ask(port: u16, request: &str, enough: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let exchange = async {
        let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        while !enough(&answer) && stream.read_buf(&mut answer).await? > 0 {}
        std::io::Result::Ok(answer)
    };
    timeout(Duration::from_secs(2), exchange).await.ok()?.ok()
}
