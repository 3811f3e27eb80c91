//! The SOURCE that several commands take.

use clap::Args as ClapArgs;
use rstack::Result;
use rstack::aws::Aws;
use rstack::event::Reporter;
use rstack::publish::Area;
use rstack::release::{Load, Opening, Pin, Place, Source, SourceUrl};
use rstack::stack::StackName;
use rstack::trust::TrustedKeys;

use super::Context;

/// What every command's help says of sources.
pub(crate) const HELP: &str = "\
SOURCE is an area of the environment that `--name` names, or a URL: env:NAME/AREA, s3://BUCKET/AREA, \
dynamodb://TABLE/AREA, redis://HOST:PORT/AREA?db=0, rediss://…, file:///FOLDER/AREA. A folder starts with ./ or /.

What KYDB wrote: kydb+redis://HOST:PORT/BASE, kydb+s3://BUCKET/BASE, kydb+dynamodb://TABLE/BASE.

`A;B` is a union: the first that has a path counts (quote it). ?at=RELEASE or ?at=TIME pins a source, ?optional=1 \
passes over one that cannot be opened, ?stale=1h refuses a store's copy of the marker that was not known to be the \
current one for so long. With `trusted_keys` (RSTACK_TRUSTED_KEYS) only what one of them signed is read.";

/// Which release.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct At {
    /// The release with this id (or the first digits of it), or the one that was current at this time
    /// (2026-11-01T12:00:00Z)
    #[arg(long, value_name = "RELEASE|TIME")]
    at: Option<Pin>,
}

impl At {
    pub(crate) fn pin(&self) -> Option<&Pin> {
        self.at.as_ref()
    }
}

/// What is typed; without it the area `main` of the environment.
pub(crate) fn url(context: &Context<'_>, source: Option<&str>, at: &At) -> Result<SourceUrl> {
    let url = match source {
        Some(source) => SourceUrl::parse(source, context.settings.name().map(StackName::as_str))?,
        None => SourceUrl::environment(context.settings.require_name()?.as_str(), Area::default()),
    };
    match &at.at {
        Some(pin) => url.at(pin),
        None => Ok(url),
    }
}

pub(crate) async fn open(context: &Context<'_>, url: &SourceUrl) -> Result<Source> {
    load(context, url, Load::Index).await
}

/// As [`open`], with so much of it at once.
pub(crate) async fn load(context: &Context<'_>, url: &SourceUrl, load: Load) -> Result<Source> {
    let (aws, trusted) = (aws(context, url).await?, context.settings.trusted());
    let opening = Opening {
        load,
        ..opening(context, aws.as_ref(), &trusted)
    };
    context.until_interrupted(Source::open(url, &opening)).await
}

pub(crate) async fn place(context: &Context<'_>, url: &SourceUrl) -> Result<Place> {
    let (aws, trusted) = (aws(context, url).await?, context.settings.trusted());
    let opening = opening(context, aws.as_ref(), &trusted);
    context.until_interrupted(Source::place(url, &opening)).await
}

fn opening<'a>(context: &'a Context<'_>, aws: Option<&'a Aws>, trusted: &'a TrustedKeys) -> Opening<'a> {
    Opening {
        aws,
        trusted,
        cache: context.cache(),
        load: Load::Index,
        reporter: context.ui,
        interrupt: &context.interrupt,
    }
}

pub(crate) async fn aws(context: &Context<'_>, url: &SourceUrl) -> Result<Option<Aws>> {
    if !url.needs_aws() {
        return Ok(None);
    }
    context.until_interrupted(context.aws()).await.map(Some)
}

/// Tells what came up while a source was read.
pub(crate) fn tell(context: &Context<'_>, source: &Source) {
    for warning in source.take_warnings() {
        context.ui.report(&warning);
    }
}
