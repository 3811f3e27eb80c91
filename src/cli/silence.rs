//! Tells which service keeps a command waiting.

use std::collections::BTreeSet;
use std::time::Duration;

use rstack::event::{Event, Reporter};
use rstack::underway;

/// From when on a service is called silent: nothing of an answer has come, be it that a large request is still on its way.
/// It is given up only minutes later: AWS is asked several times.
const SILENT: Duration = Duration::from_secs(10);

/// Does the work, and tells once of each service that leaves a request of it unanswered for long.
pub(crate) async fn told<T>(reporter: &dyn Reporter, work: impl Future<Output = T>) -> T {
    underway::watch();
    let watching = async {
        let mut known = BTreeSet::new();
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            for service in underway::silent(SILENT) {
                if known.insert(service.clone()) {
                    let message = format!("no answer from {service} for {} s; still waiting", SILENT.as_secs());
                    reporter.report(&Event::Note { message });
                }
            }
        }
    };
    tokio::select! {
        done = work => done,
        never = watching => never,
    }
}
