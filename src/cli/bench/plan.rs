//! What will be measured: found before anything is.

use std::cell::Cell;

use rstack::Result;
use rstack::aws::{Access, Aws};
use rstack::bench::{ScratchAreas, Standing, Subject, Target, Way};
use rstack::publish::Area;
use rstack::release::SourceUrl;
use rstack::stack::StackName;
use rstack::store::StoreKind;
use rstack::{Error, ErrorKind};

use super::Args;
use super::delay::{Delay, Delays};
use crate::cli::environment::Environment;
use crate::cli::{Context, source};

/// Subjects, and how they are reached.
pub(super) struct Plan {
    pub(super) access: Access,
    pub(super) delays: Delays,
    pub(super) subjects: Vec<Found>,
    /// Of the environment that is measured as a whole, with no delay before it.
    pub(super) home: Option<Home>,
    /// The ways asked for; `None` for all that apply.
    pub(super) ways: Option<Vec<Way>>,
    /// What is published for measuring.
    pub(super) scratch: ScratchAreas,
    /// Where `--scale` publishes.
    pub(super) scaled: Option<Area>,
}

/// A subject, or why there is none.
pub(super) struct Found {
    pub(super) label: String,
    pub(super) subject: Result<Subject>,
}

/// The environment that scratch areas are made in.
pub(super) struct Home {
    pub(super) name: StackName,
    pub(super) aws: Aws,
    pub(super) standing: Standing,
}

/// The sources as they are typed; an environment is none.
pub(super) fn urls(context: &Context<'_>, args: &Args) -> Result<Vec<SourceUrl>> {
    let at = source::At::default();
    let urls = args.sources.iter().map(|typed| source::url(context, Some(typed), &at));
    let urls: Vec<SourceUrl> = urls.collect::<Result<_>>()?;
    let labels: Vec<String> = urls.iter().map(SourceUrl::with_options).collect();
    if let Some(at) = (1..labels.len()).find(|at| labels[..*at].contains(&labels[*at])) {
        return Err(Error::usage(format!("the source `{}` is named twice", labels[at])).with_hint("name it once"));
    }
    let unread = |delay: &&Delay| !urls.is_empty() && !urls.iter().any(|url| url.reads(delay.store));
    if let Some(Delay { store, .. }) = args.delays.iter().find(unread) {
        return Err(
            Error::usage(format!("`--delay` names {store}, which none of these sources reads"))
                .with_hint("leave it out"),
        );
    }
    Ok(urls)
}

impl Plan {
    pub(super) async fn of(context: &Context<'_>, args: &Args, urls: Vec<SourceUrl>, delays: Delays) -> Result<Self> {
        let access = if urls.is_empty() || urls.iter().any(SourceUrl::needs_aws) {
            context.until_interrupted(context.access()).await?
        } else {
            Access::default()
        };
        let scratch = ScratchAreas::new();
        let mut plan = Self {
            access,
            delays,
            subjects: Vec::new(),
            home: None,
            ways: args.ways(),
            scaled: args.scale.map(|_| scratch.another()).transpose()?,
            scratch,
        };
        if urls.is_empty() {
            plan.environment(context, args).await?;
        }
        for url in urls {
            plan.source(context, args, url).await?;
        }
        Ok(plan)
    }

    /// The environment as a whole, then each of its stores.
    async fn environment(&mut self, context: &Context<'_>, args: &Args) -> Result<()> {
        let environment = Environment::find(context, &args.redis).await?;
        let standing = environment.standing(context).await?;
        let area = self.scaled.clone().unwrap_or_default();
        let whole = match &self.scaled {
            Some(_) => format!("env:{}", environment.stack.name),
            None => format!("env:{}/{area}", environment.stack.name),
        };
        let stores = StoreKind::OF_ENVIRONMENT.map(|kind| (kind.to_string(), Some(kind)));
        for (label, by) in [(whole, None)].into_iter().chain(stores) {
            self.area(label, &standing, area.clone(), by);
        }
        self.home = Some(Home {
            name: environment.stack.name.parse()?,
            aws: environment.aws,
            standing,
        });
        Ok(())
    }

    fn area(&mut self, label: String, standing: &Standing, area: Area, by: Option<StoreKind>) {
        let standing = Standing {
            redis: self.delays.redis(&standing.redis),
            ..standing.clone()
        };
        let target = Target::Area { standing, area, by };
        self.subjects.push(Found {
            subject: Ok(Subject {
                label: label.clone(),
                target,
            }),
            label,
        });
    }

    /// A source as it is typed. Where the stores of an environment are is asked once, and not measured.
    async fn source(&mut self, context: &Context<'_>, args: &Args, url: SourceUrl) -> Result<()> {
        let label = url.with_options();
        if let Some((name, area)) = url.whole_environment() {
            let (name, area): (StackName, Area) = (name.parse()?, area.clone());
            match Box::pin(Environment::named(context, &name, &args.redis)).await {
                Ok(environment) => {
                    let standing = environment.standing(context).await?;
                    self.area(label, &standing, area, None);
                }
                Err(error) if matches!(*error.kind, ErrorKind::Interrupted(_) | ErrorKind::Usage(_)) => {
                    return Err(error);
                }
                Err(error) => self.subjects.push(Found {
                    label,
                    subject: Err(error),
                }),
            }
            return Ok(());
        }
        if !self.delays.is_empty() && url.reads_an_environment() {
            return Err(
                Error::usage(format!("`--delay` does not reach the environment inside of `{label}`"))
                    .with_hint("name the environment by itself, or its stores by their URLs"),
            );
        }
        let foreign = Cell::new(false);
        let target = Target::Source(url.by_way_of(|address| {
            foreign.set(foreign.get() || self.delays.leaves_out(address));
            self.delays.redis(address)
        }));
        if foreign.get() {
            return Err(Error::usage(format!(
                "`--delay` is before the Redis of the local AWS, and `{label}` reads another one"
            ))
            .with_hint("measure it in a run of its own, without `--delay redis=…`"));
        }
        self.subjects.push(Found {
            subject: Ok(Subject {
                label: label.clone(),
                target,
            }),
            label,
        });
        Ok(())
    }
}
