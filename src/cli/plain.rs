//! Plain files: which releases are written as such too, and writing them anew after a move.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args as ClapArgs;
use rstack::event::{Event, Reporter as _};
use rstack::publish::{Area, Publish, Report, StoreState, Tree, follows_plain_files, has_other_plain_files, publish};
use rstack::release::{Place, Reader};
use rstack::store::Store;
use rstack::{Error, ErrorKind, Outcome, Result};

use super::Context;
use super::environment::{AllStores, Environment};

/// The largest release, in bytes, that is written as plain files unasked.
const LARGEST: u64 = 16 << 20;
/// How often they are written while others keep writing them too, or move the area on.
const ATTEMPTS: u32 = 8;

#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct PlainOption {
    /// Write plain files too, however many there are
    #[arg(long, conflicts_with = "no_plain")]
    pub(crate) plain: bool,
    /// Write no plain files
    #[arg(long)]
    pub(crate) no_plain: bool,
}

impl PlainOption {
    /// Whether a release of so many bytes is written as plain files.
    pub(crate) fn wanted(&self, bytes: u64) -> bool {
        self.plain || bytes <= LARGEST && !self.no_plain
    }

    /// Leaves the plain files alone that an area has, and says so where they are not those of the tree that was published.
    /// Tells whether they stay behind unasked.
    pub(crate) async fn leave(
        &self,
        context: &Context<'_>,
        deciding: &dyn Store,
        area: &Area,
        stack_id: &str,
        tree: Option<&Tree>,
        again: &str,
    ) -> Result<bool> {
        if !has_other_plain_files(deciding, area, stack_id, tree).await? {
            return Ok(false);
        }
        let message = format!("the plain files of area `{area}` stay what they were");
        let hint = Some(format!("this writes them, however many there are: {again} --plain"));
        context.ui.report(&Event::Warning { message, hint });
        Ok(!self.no_plain)
    }

    /// As [`PlainOption::write`]. The release is there whatever happens here, so what fails is told, and `again` is the
    /// command that completes it.
    pub(crate) async fn follow(
        &self,
        context: &Context<'_>,
        environment: &Environment,
        stores: &AllStores,
        area: &Area,
        now: Now,
        again: &str,
    ) -> Result<Followed> {
        match self.write(context, environment, stores, area, now, again).await {
            Ok(mut followed) => {
                if let Some(files) = &mut followed.files {
                    environment.advise_of_files(context, again, files);
                }
                Ok(followed)
            }
            Err(error) => {
                bear(context, area, error, again)?;
                Ok(Followed {
                    files: None,
                    behind: true,
                })
            }
        }
    }

    /// Makes an area's plain files those of the release that it is at, or says that they stay behind. An area that had
    /// a release before and no plain files stays without them, unless they are asked for.
    async fn write(
        &self,
        context: &Context<'_>,
        environment: &Environment,
        stores: &AllStores,
        area: &Area,
        now: Now,
        again: &str,
    ) -> Result<Followed> {
        let stack = &environment.stack;
        let deciding = stores.roles().deciding;
        let left = |behind| Ok(Followed { files: None, behind });
        if !self.wanted(now.bytes) {
            return left(self.leave(context, deciding, area, &stack.id, None, again).await?);
        }
        if !(now.first || self.plain || follows_plain_files(deciding, area, &stack.id).await?) {
            return left(false);
        }
        let place = stores.place(area, stack);
        let files = Box::pin(catch_up(context, place, &stores.each(), &stack.id)).await?;
        Ok(Followed {
            files: Some(files),
            behind: false,
        })
    }
}

/// What kept plain files from being written, of a release that is there: told, but for an interrupt, which ends the command.
pub(crate) fn bear(context: &Context<'_>, area: &Area, error: Error, again: &str) -> Result<()> {
    if matches!(*error.kind, ErrorKind::Interrupted(_)) {
        return Err(error.with_hint(format!("the release is there; this completes its plain files: {again}")));
    }
    context.ui.report(&Event::Warning {
        message: format!("the plain files of area `{area}` are not complete: {error}"),
        hint: Some(format!("then again: {again}")),
    });
    Ok(())
}

/// What the plain files of an area have to follow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// Of the release that the area is at.
    pub(crate) bytes: u64,
    /// The area had none before.
    pub(crate) first: bool,
}

/// What became of an area's plain files.
pub(crate) struct Followed {
    /// `None` where none were written.
    pub(crate) files: Option<Report>,
    /// There are some, of another release.
    behind: bool,
}

impl Followed {
    pub(crate) fn outcome(&self) -> Outcome {
        match &self.files {
            _ if self.behind => Outcome::Partial,
            Some(files) => files.outcome(),
            None => Outcome::Done,
        }
    }
}

/// Writes what the area's release has. Of several commands at once each does so, and all of them with the release that
/// came last.
pub(crate) async fn catch_up(
    context: &Context<'_>,
    place: Place,
    stores: &[&dyn Store],
    stack_id: &str,
) -> Result<Report> {
    let area = place.area.clone();
    let mut attempt = 1;
    let mut reader = Reader::open(place, None).await?;
    loop {
        let tree = tree(&reader).await?;
        let job = Publish {
            tree: &tree,
            area: &area,
            stack_id,
            stores,
            unanswered: &[],
            dry_run: false,
            reporter: context.ui,
            interrupt: &context.interrupt,
        };
        let report = Box::pin(publish(&job)).await?;
        let raced = has_raced(&report);
        if attempt == ATTEMPTS {
            return Ok(report);
        }
        if raced {
            let pause = fastrand::u64(1..=100 * u64::from(attempt));
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        match reader.advance().await? {
            Some(moved) => reader = moved,
            None if raced => {}
            None => return Ok(report),
        }
        attempt += 1;
    }
}

/// Whether another command wrote plain files at the same time.
pub(crate) fn has_raced(report: &Report) -> bool {
    report.stores.iter().any(|store| store.state == StoreState::Raced)
}

/// Everything that a release has.
async fn tree(reader: &Reader) -> Result<Tree> {
    let paths: Vec<&str> = reader.manifest().files.keys().map(AsRef::as_ref).collect();
    let mut contents = BTreeMap::new();
    for (path, content) in paths.iter().zip(reader.read_many(&paths).await?) {
        let content = content.ok_or_else(|| Error::unexpected(format!("`{path}` of the release cannot be found")))?;
        contents.insert((*path).to_owned(), content);
    }
    Tree::of(contents)
}
