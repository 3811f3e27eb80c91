//! What opening a source takes, as the command line would take it from the environment and `rstack.yaml`.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::runtime::Runtime;
use rstack::aws::Aws;
use rstack::error::{Error, ErrorKind, Result};
use rstack::event::{Event, Reporter};
use rstack::interrupt::{self, Interrupt, Interrupter};
use rstack::local;
use rstack::publish::Area;
use rstack::pull::{Pull, pull};
use rstack::release::{Load, LocalCache, Opening, Pin, Source, SourceUrl};
use rstack::settings::{Flags, Settings, Target};
use rstack::stack::StackName;
use rstack::trust::TrustedKeys;

/// Who reads: clients, keys, cache.
#[derive(Debug)]
pub(super) struct World {
    aws: Option<Aws>,
    trusted: TrustedKeys,
    cache: Arc<LocalCache>,
    warnings: Warnings,
    interrupt: Interrupt,
    /// Never raised: a task that is to stop is dropped.
    _interrupter: Interrupter,
}

/// Warnings that nobody was told yet: a message and a hint each.
#[derive(Debug, Default)]
struct Warnings(Mutex<Vec<(String, Option<String>)>>);

impl Reporter for Warnings {
    fn report(&self, event: &Event) {
        if let Event::Warning { message, hint } = event {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push((message.clone(), hint.clone()));
        }
    }
}

/// Reads what is typed; without it the area `main` of the environment that is configured.
pub(super) fn parse(source: Option<&str>, at: Option<&str>) -> Result<(SourceUrl, Settings)> {
    let settings = Settings::load(Flags::default(), |name| std::env::var(name).ok())?;
    let name = settings.name().map(StackName::as_str);
    let url = match (source, name) {
        (Some(source), _) => SourceUrl::parse(source, name)?,
        (None, Some(name)) => SourceUrl::environment(name, Area::default()),
        (None, None) => {
            return Err(Error::usage("which source? none is given")
                .with_hint("name one, such as `env:demo/prod`, or set RSTACK_SOURCE or RSTACK_NAME"));
        }
    };
    let url = match at {
        Some(pin) => url.at(&pin.parse::<Pin>()?).map_err(in_python)?,
        None => url,
    };
    Ok((url, settings))
}

/// The same with options as arguments.
fn in_python(mut error: Error) -> Error {
    if let ErrorKind::Usage(message) = &mut *error.kind {
        *message = message.replace("`--at`", "`at=`");
    }
    error
}

impl World {
    pub(super) async fn of(url: &SourceUrl, settings: &Settings) -> Result<Self> {
        let warnings = Warnings::default();
        let cache = Runtime::get()?.cache(&settings.cache, &warnings);
        let (interrupter, interrupt) = interrupt::channel();
        let aws = if url.needs_aws() {
            Some(Box::pin(aws(settings, &warnings, &interrupt)).await?)
        } else {
            None
        };
        Ok(Self {
            aws,
            trusted: settings.trusted(),
            cache,
            warnings,
            interrupt,
            _interrupter: interrupter,
        })
    }

    fn opening(&self) -> Opening<'_> {
        Opening {
            aws: self.aws.as_ref(),
            trusted: &self.trusted,
            cache: &self.cache,
            load: Load::Code,
            reporter: &self.warnings,
            interrupt: &self.interrupt,
        }
    }

    pub(super) async fn open(&self, url: &SourceUrl) -> Result<Source> {
        Box::pin(Source::open(url, &self.opening())).await
    }

    pub(super) async fn advance(&self, source: &Source) -> Result<Source> {
        let advanced = Box::pin(source.advance(&self.opening())).await?;
        Ok(advanced.source)
    }

    /// Makes a folder hold the files of a source.
    pub(super) async fn pull(&self, source: &Source, directory: &Path) -> Result<()> {
        let job = Pull {
            source,
            directory,
            // Nobody but rstack has anything in there.
            force: true,
        };
        Box::pin(pull(&job, &self.warnings, &self.interrupt)).await?;
        Ok(())
    }

    pub(super) fn cache(&self) -> &Arc<LocalCache> {
        &self.cache
    }

    /// What came up, each thing once.
    pub(super) fn take_warnings(&self, source: &Source) -> Vec<(String, Option<String>)> {
        for warning in source.take_warnings() {
            self.warnings.report(&warning);
        }
        std::mem::take(&mut *self.warnings.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Clients of the AWS that the settings name; the local one is started first when it is not running.
async fn aws(settings: &Settings, reporter: &dyn Reporter, interrupt: &Interrupt) -> Result<Aws> {
    match settings.target {
        Target::Aws => Aws::connect(&settings.access).await,
        Target::Local => {
            let region = settings.access.region.as_deref();
            let local = local::ensure(&settings.local, region, reporter, interrupt).await?;
            Aws::connect(&local.access(region)).await
        }
    }
}
