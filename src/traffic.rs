//! What a piece of work asks of the network, counted where requests are made.

use std::cell::RefCell;
use std::time::Instant;

use serde::Serialize;

tokio::task_local! {
    static REQUESTS: RefCell<Vec<Request>>;
}

/// An attempt of a request, from its beginning to its answer.
#[derive(Debug, Clone, Copy)]
struct Request {
    began: Instant,
    ended: Instant,
    sent: u64,
    received: u64,
}

/// Requests and what they carried. Connecting is not counted, nor is what HTTP says beside the bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Traffic {
    /// Attempts; a pipeline to Redis is one.
    pub requests: u64,
    /// How many requests followed one on another's answer, at the least: those that were under way at once count as one.
    pub round_trips: u64,
    /// In bytes.
    pub sent: u64,
    /// In bytes.
    pub received: u64,
}

impl Traffic {
    /// Runs the work, and counts the requests that it makes, other than on tasks of their own.
    pub async fn of<T>(work: impl Future<Output = T>) -> (T, Self) {
        let counted = async {
            let done = work.await;
            (done, REQUESTS.with(|requests| Self::sum(&requests.borrow())))
        };
        REQUESTS.scope(RefCell::default(), counted).await
    }

    /// Of two who worked at the same time: neither waited for the other's answers.
    #[must_use]
    pub fn beside(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            round_trips: self.round_trips.max(other.round_trips),
            sent: self.sent + other.sent,
            received: self.received + other.received,
        }
    }

    fn sum(requests: &[Request]) -> Self {
        let mut by_end = requests.to_vec();
        by_end.sort_by_key(|request| request.ended);
        let mut traffic = Self::default();
        let mut last: Option<Instant> = None;
        for request in by_end {
            traffic.requests += 1;
            traffic.sent += request.sent;
            traffic.received += request.received;
            if last.is_none_or(|ended| request.began >= ended) {
                traffic.round_trips += 1;
                last = Some(request.ended);
            }
        }
        traffic
    }
}

/// Whether anybody counts.
pub(crate) fn counted() -> bool {
    REQUESTS.try_with(|_| ()).is_ok()
}

/// An attempt was answered, or given up, now.
pub(crate) fn note(began: Instant, sent: u64, received: u64) {
    let ended = Instant::now();
    let request = Request {
        began,
        ended,
        sent,
        received,
    };
    // Outside of measured work there is nowhere to note it.
    let _ = REQUESTS.try_with(|requests| requests.borrow_mut().push(request));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn requests_at_once_are_one_round_trip() {
        let start = Instant::now();
        let request = |from: u64, to: u64| Request {
            began: start + Duration::from_millis(from),
            ended: start + Duration::from_millis(to),
            sent: 1,
            received: 10,
        };
        let trips = |requests: &[Request]| Traffic::sum(requests).round_trips;
        assert_eq!(trips(&[]), 0);
        assert_eq!(trips(&[request(0, 5), request(1, 4), request(2, 9)]), 1);
        assert_eq!(
            trips(&[request(0, 20), request(0, 5), request(5, 9), request(9, 12)]),
            3
        );
        let both = Traffic::sum(&[request(0, 5), request(6, 9)]);
        assert_eq!(
            (both.requests, both.round_trips, both.sent, both.received),
            (2, 2, 2, 20)
        );
        let beside = both.beside(Traffic::sum(&[request(1, 9)]));
        assert_eq!(
            (beside.requests, beside.round_trips, beside.sent, beside.received),
            (3, 2, 3, 30)
        );
    }
}
