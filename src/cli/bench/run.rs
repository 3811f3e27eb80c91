//! Measuring what was planned, in turns, and removing what was made for it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};

use rstack::aws::StoreEndpoints;
use rstack::bench::{Bench, Filling, Measured, ScratchCache, Subject, Way, fill};
use rstack::event::{Event, Progress, Reporter as _, Task};
use rstack::publish::Tree;
use rstack::store::{StoreError, StoreKind};
use rstack::trust::TrustedKeys;
use rstack::{Error, ErrorKind, Result};

use super::Args;
use super::line::{Known, Line};
use super::once::Once;
use super::plan::{Found, Home, Plan};
use super::report::{Problem, Report};
use crate::cli::Context;
use crate::cli::shell::command_line;

/// Opening a source is told when it takes longer than this.
const SLOW: Duration = Duration::from_secs(1);

pub(super) struct Run<'a> {
    context: &'a Context<'a>,
    args: &'a Args,
    plan: Plan,
    endpoints: StoreEndpoints,
    trusted: TrustedKeys,
    /// Of what is measured.
    reporter: Once<'a>,
    rows: Vec<Line>,
    /// Where scratch areas may be.
    written: RefCell<BTreeSet<StoreKind>>,
    /// Of a row that could not be measured: the command's own, when there is nothing else.
    first: Option<Error>,
    done: u64,
}

impl<'a> Run<'a> {
    pub(super) fn new(context: &'a Context<'a>, args: &'a Args, plan: Plan) -> Self {
        Self {
            context,
            args,
            endpoints: plan.delays.endpoints(),
            plan,
            trusted: context.settings.trusted(),
            reporter: Once::new(context.ui),
            rows: Vec::new(),
            written: RefCell::default(),
            first: None,
            done: 0,
        }
    }

    /// Measures, and however that ends removes what was made for it.
    pub(super) async fn finish(mut self) -> Result<Report> {
        let measured = Box::pin(self.measure()).await;
        if measured.is_err() && self.plan.scratch.used() {
            let prefix = self.plan.scratch.prefix();
            let message =
                format!("removing what was made to be measured, areas `{prefix}-…`; Ctrl-C again leaves it there");
            self.context.ui.report(&Event::Note { message });
        }
        let left = Box::pin(self.tidy()).await;
        if let Err(error) = measured {
            return Err(left.into_iter().fold(error, Error::leaving));
        }
        if let Some(error) = self.first.filter(|_| self.rows.iter().all(|row| row.problem.is_some())) {
            return Err(left.into_iter().fold(error, Error::leaving));
        }
        for left in &left {
            let message = format!("this could not be removed: {left}");
            let hint = self.plan.home.as_ref().map(|home| {
                let again = command_line(&self.context.settings, "bench", &home.name);
                format!("`{again} --way publish --repeat 1` removes it too, when six hours have passed")
            });
            self.context.ui.report(&Event::Warning { message, hint });
        }
        Ok(Report {
            delays: self.plan.delays.added,
            repeat: self.args.repeat,
            loads: self.rows.into_iter().map(Line::into_row).collect(),
            left,
        })
    }

    async fn measure(&mut self) -> Result<()> {
        if let (Some(home), Some(area), Some(times)) = (&self.plan.home, &self.plan.scaled, self.args.scale) {
            let filling = Filling {
                standing: &home.standing,
                aws: &home.aws,
                tree: &Tree::demo_scaled(times),
                area,
                reporter: self.context.ui,
                interrupt: &self.context.interrupt,
            };
            let filled = self.context.until_interrupted(fill(&filling, true)).await;
            self.wrote(match &filled {
                Ok(lagging) => lagging.as_ref(),
                Err(error) => store_error(error),
            });
            filled?;
        }
        let subjects = std::mem::take(&mut self.plan.subjects);
        let labels: Vec<String> = subjects.iter().map(|found| found.label.clone()).collect();
        for found in subjects {
            let ui = self.context.ui;
            let message = format!("opening {}", found.label);
            let telling = async {
                tokio::time::sleep(SLOW).await;
                ui.report(&Event::Note { message });
                pending::<Infallible>().await
            };
            match select(pin!(self.look(found)), pin!(telling)).await {
                Either::Left((looked, _)) => looked?,
                Either::Right((never, _)) => match never {},
            }
        }
        let hint = if self.asks_for(Way::Publish) {
            "`publish` takes an environment: leave SOURCE out"
        } else {
            "`each`, `batched` and `read` take the URL of one store, such as `redis://host:6379/prod`"
        };
        if self.rows.is_empty() {
            return Err(Error::usage("none of the ways asked for applies to these sources").with_hint(hint));
        }
        for label in labels
            .iter()
            .filter(|label| !self.rows.iter().any(|row| row.label == **label))
        {
            self.context.ui.report(&Event::Warning {
                message: format!("none of the ways asked for applies to {label}, which is left out"),
                hint: Some(hint.to_owned()),
            });
        }
        let rounds = self.args.warm_up + self.args.repeat;
        let total = u64::from(rounds) * self.rows.len() as u64;
        for round in 0..rounds {
            for at in 0..self.rows.len() {
                self.progress(total);
                self.step(at, round >= self.args.warm_up).await?;
                self.done += 1;
            }
        }
        self.progress(total);
        Ok(())
    }

    fn progress(&self, total: u64) {
        self.context.ui.report(&Event::Progress(Progress {
            task: Task::Measure,
            done: self.done,
            total: Some(total),
            bytes: 0,
            total_bytes: None,
        }));
    }

    /// Finds out what a subject holds, and which rows follow from it.
    async fn look(&mut self, found: Found) -> Result<()> {
        let Found { label, subject } = found;
        let whole = subject.as_ref().map_or(true, |subject| subject.environment().is_some());
        let known = match subject {
            Ok(subject) => self.known(subject).await,
            Err(error) => Err(error),
        };
        let known = match known {
            Err(error) if matches!(*error.kind, ErrorKind::Interrupted(_)) => return Err(error),
            other => other,
        };
        match known {
            Ok(known) => {
                let known = Rc::new(known);
                for (way, readers) in self.ways_of(whole, Some(&known)) {
                    self.rows
                        .push(Line::new(&label, Some(way), readers, Some(Rc::clone(&known))));
                }
            }
            Err(error) => {
                let rows: Vec<(Option<Way>, u32)> = match self.plan.ways {
                    Some(_) => self
                        .ways_of(whole, None)
                        .into_iter()
                        .map(|(way, readers)| (Some(way), readers))
                        .collect(),
                    None => vec![(None, 1)],
                };
                for (way, readers) in rows {
                    let mut line = Line::new(&label, way, readers, None);
                    line.problem = Some(self.problem(&error));
                    self.rows.push(line);
                }
                self.first.get_or_insert(self.plan.delays.as_given(error));
            }
        }
        Ok(())
    }

    async fn known(&self, subject: Subject) -> Result<Known> {
        let bench = self.bench();
        let ways = self.plan.ways.as_deref().unwrap_or(&Way::ALL);
        let held = self.context.until_interrupted(bench.look(&subject, ways)).await?;
        let publishes = subject.environment().is_some() && self.asks_for(Way::Publish) && self.plan.home.is_some();
        let tree = match self.args.scale {
            _ if !publishes => None,
            Some(times) => Some(Tree::demo_scaled(times)),
            None => Some(self.context.until_interrupted(bench.tree(&subject)).await?),
        };
        Ok(Known {
            subject,
            held,
            cache: ScratchCache::new(),
            tree,
        })
    }

    fn asks_for(&self, way: Way) -> bool {
        self.plan.ways.as_ref().is_none_or(|ways| ways.contains(&way))
    }

    /// What to time of an environment as a whole, or of one store, with how many readers. What is asked for and makes
    /// sense is tried, though it may fail.
    fn ways_of(&self, whole: bool, known: Option<&Known>) -> Vec<(Way, u32)> {
        let asked = self.plan.ways.is_some();
        let plain = known.is_some_and(|known| !known.held.plain.is_empty());
        let one = known.is_some_and(|known| known.held.one.is_some());
        let applies = |way: &Way| match way {
            Way::Each | Way::Batched => !whole && (asked || plain),
            Way::Read => !whole && (asked || one),
            Way::Cold | Way::Warm => true,
            Way::Publish => whole && self.plan.home.is_some(),
        };
        let mut ways = Vec::new();
        for way in Way::ALL.into_iter().filter(|way| self.asks_for(*way)).filter(applies) {
            let several = if asked { way.loads() } else { way == Way::Cold };
            let readers: &[u32] = if several { &self.args.concurrency } else { &[1] };
            ways.extend(readers.iter().map(|readers| (way, *readers)));
        }
        ways
    }

    /// Why a row has no times.
    fn problem(&self, error: &Error) -> Problem {
        let unproxied = |text: &str| self.plan.delays.unproxied(text);
        Problem {
            message: unproxied(&error.to_string()),
            hint: error.hint.as_deref().map(unproxied),
        }
    }

    fn bench(&self) -> Bench<'_> {
        Bench {
            access: &self.plan.access,
            endpoints: &self.endpoints,
            trusted: &self.trusted,
            reporter: &self.reporter,
            interrupt: &self.context.interrupt,
        }
    }

    /// One run of one row. What fails is kept as the row's problem, and the row is left alone from then on; so are all
    /// others of a store that cannot be reached.
    async fn step(&mut self, at: usize, counted: bool) -> Result<()> {
        let row = &self.rows[at];
        let (Some(known), Some(way), None) = (row.subject.clone(), row.way, &row.problem) else {
            return Ok(());
        };
        let readers = row.readers;
        let measured = async {
            if way == Way::Warm && counted && row.seconds.is_empty() {
                // What has not been loaded before is not warm.
                self.once(&known, way, 1).await?;
            }
            self.once(&known, way, readers).await
        };
        match self.context.until_interrupted(measured).await {
            Ok(measured) => self.rows[at].take(&measured, counted),
            Err(error) if matches!(*error.kind, ErrorKind::Interrupted(_)) => return Err(error),
            Err(error) => {
                let one_store = known.subject.environment().is_none();
                let gone = one_store && store_error(&error).is_some_and(StoreError::is_unreachable);
                let problem = self.problem(&error);
                let same = |row: &Line| row.subject.as_ref().is_some_and(|other| Rc::ptr_eq(other, &known));
                for (number, row) in self.rows.iter_mut().enumerate() {
                    if number == at || gone && same(row) {
                        row.problem.get_or_insert_with(|| problem.clone());
                    }
                }
                self.first.get_or_insert(self.plan.delays.as_given(error));
            }
        }
        Ok(())
    }

    async fn once(&self, known: &Known, way: Way, readers: u32) -> Result<Measured> {
        let Known {
            subject,
            held,
            cache,
            tree,
        } = known;
        match (way, subject.environment(), tree) {
            (Way::Publish, Some(standing), Some(tree)) => {
                let area = self.plan.scratch.another()?;
                let published = Box::pin(self.bench().publish(standing, tree, &area)).await;
                self.wrote(published.as_ref().err().and_then(store_error));
                published
            }
            _ => Box::pin(self.bench().load(subject, held, way, readers, cache)).await,
        }
    }

    /// Something was written to each store but one that cannot be reached.
    fn wrote(&self, trouble: Option<&StoreError>) {
        let untouched = trouble
            .filter(|trouble| trouble.is_unreachable())
            .map(|trouble| trouble.store);
        let written = StoreKind::OF_ENVIRONMENT
            .into_iter()
            .filter(|kind| Some(*kind) != untouched);
        self.written.borrow_mut().extend(written);
    }

    /// Removes scratch areas, also after an interrupt; returns what is left.
    async fn tidy(&self) -> Vec<String> {
        let Some(Home { aws, standing, .. }) = self.plan.home.as_ref().filter(|_| self.plan.scratch.used()) else {
            return Vec::new();
        };
        let mut left = Vec::new();
        for kind in StoreKind::OF_ENVIRONMENT {
            let store = standing.store(kind, aws);
            if let Err(error) = self.plan.scratch.remove(&*store).await
                && (self.written.borrow().contains(&kind)
                    || !store_error(&error).is_some_and(StoreError::is_unreachable))
            {
                let prefix = self.plan.scratch.prefix();
                left.push(format!(
                    "what begins with `{prefix}` in {kind} {}: {error}",
                    store.place()
                ));
            }
        }
        left
    }
}

/// The store's own error, if it is one.
fn store_error(error: &Error) -> Option<&StoreError> {
    match &*error.kind {
        ErrorKind::Store(cause) => Some(cause),
        _ => None,
    }
}
