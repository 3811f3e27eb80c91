//! "Please stop" from outside: a signal in the binary, a caller's wish in the library.

use tokio::sync::watch;

/// The listening side. Cheap to clone; long work asks it between steps or waits on it in `select!`.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<bool>);

/// The raising side.
#[derive(Debug)]
pub struct Interrupter(watch::Sender<bool>);

/// A connected pair.
#[must_use]
pub fn channel() -> (Interrupter, Interrupt) {
    let (sender, receiver) = watch::channel(false);
    (Interrupter(sender), Interrupt(receiver))
}

impl Interrupter {
    pub fn raise(&self) {
        self.0.send_replace(true);
    }
}

impl Interrupt {
    /// Whether a stop was asked for.
    #[must_use]
    pub fn requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once a stop is asked for; never, when the raising side is gone.
    pub async fn wait(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|raised| *raised).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
