//! A warning that comes up in every run is told in the first.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use rstack::event::{Event, Reporter};

pub(super) struct Once<'a> {
    reporter: &'a dyn Reporter,
    told: Mutex<HashSet<String>>,
}

impl<'a> Once<'a> {
    pub(super) fn new(reporter: &'a dyn Reporter) -> Self {
        Self {
            reporter,
            told: Mutex::default(),
        }
    }
}

impl Reporter for Once<'_> {
    fn report(&self, event: &Event) {
        if let Event::Warning { message, .. } = event {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if !told.insert(message.clone()) {
                return;
            }
        }
        self.reporter.report(event);
    }
}
