//! `rstack demo`: the article that rstack grew out of, from start to finish.

mod importing;
mod reading;
mod words;

use std::time::Instant;

use clap::Args as ClapArgs;
use rstack::aws::Aws;
use rstack::config::Config;
use rstack::event::{Event, Reporter as _};
use rstack::publish::{Area, Publish, Tree, publish};
use rstack::stack::{Depth, Down, Stack, StackName, describe, plan};
use rstack::store::{DynamoDbStore, RedisAddress, RedisStore, S3Store, Store};
use rstack::template::{Format, Preset};
use rstack::time::Timestamp;
use rstack::{Error, Outcome, Result, status};
use serde::Serialize;

use self::importing::Imported;
use self::reading::Reading;
use super::shell::command_line;
use super::{Context, down, up};

/// Show it all on this machine, start to finish, with no AWS account
///
/// On the local AWS: the template, an environment, the demo scripts in its three stores, a look at it, reading the
/// scripts back from each store with the time it took, importing them with Python where a Python in PATH has the package
/// `rstack`, and the environment's end. Nothing of it stays.
#[derive(Debug, Default, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {}

const AFTER_HELP: &str = "\
stdout: the tables. The first time, the local AWS is installed first, which takes a minute.

Exit codes: 0 shown, and nothing is left; 1 something failed, and is named; 130 interrupted.

Examples:
  rstack demo
  rstack demo -n tour2      under another name than `tour`";

const NAME: &str = "tour";

/// One step of the tour and how long it took.
#[derive(Debug, Serialize)]
struct Step {
    step: &'static str,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    name: StackName,
    steps: Vec<Step>,
    reads: Vec<Reading>,
    /// Empty where no Python has the package.
    imports: Vec<Imported>,
    seconds: f64,
}

impl Args {
    /// The context is one of the local AWS; what rstack.yaml says of other environments does not matter here.
    pub(crate) async fn run(self, mut context: Context<'_>) -> Result<Outcome> {
        context.settings.config = Config::default();
        context.settings.file = None;
        let name = match context.settings.name() {
            Some(name) => name.clone(),
            None => NAME.parse()?,
        };
        let aws = context.until_interrupted(context.aws()).await?;
        let tour = Tour {
            context: &context,
            aws: &aws,
            name: &name,
        };
        tour.has_room().await?;
        let report = tour.run().await.map_err(|error| {
            let remove = command_line(&context.settings, "down", &name);
            error.leaving(format!("environment `{name}` on the local AWS; `{remove}` removes it"))
        })?;
        down::tidy_local(&context).await?;
        context
            .ui
            .finish("demo", &report, Outcome::Done, |style| words::of_report(&report, style));
        Ok(Outcome::Done)
    }
}

struct Tour<'a> {
    context: &'a Context<'a>,
    aws: &'a Aws,
    name: &'a StackName,
}

impl Tour<'_> {
    /// The tour ends by taking its environment down: it must not be one that somebody uses.
    async fn has_room(&self) -> Result<()> {
        let found = self
            .context
            .until_interrupted(describe(self.aws, self.name.as_str()))
            .await?;
        if found.is_none() {
            return Ok(());
        }
        let down = command_line(&self.context.settings, "down", self.name);
        Err(
            Error::refused(format!("environment `{}` exists already on the local AWS", self.name)).with_hint(format!(
                "`{down}` takes it away; `rstack demo -n OTHER` uses another name"
            )),
        )
    }

    async fn run(&self) -> Result<Report> {
        let mut steps = Vec::new();
        let started = Instant::now();
        let mut clock = started;
        let mut done = |step| {
            let seconds = clock.elapsed().as_secs_f64();
            steps.push(Step { step, seconds });
            clock = Instant::now();
        };
        self.template()?;
        done("template");
        let stack = self.up().await?;
        done("up");
        let stores = self.stores(&stack)?;
        let keys = self.seed(&stack, &stores).await?;
        done("seed");
        self.status().await?;
        done("status");
        let reads = self.read_back(&stores, &keys).await?;
        done("read");
        let imports = self.import(&stack).await?;
        if !imports.is_empty() {
            done("import");
        }
        self.down().await?;
        done("down");
        Ok(Report {
            name: self.name.clone(),
            steps,
            reads,
            imports,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    fn say(&self, message: impl Into<String>) {
        let message = message.into();
        self.context.ui.report(&Event::Note { message });
    }

    fn template(&self) -> Result<()> {
        let text = Preset::Default
            .template(&self.context.settings.config.stores)
            .to_text(Format::Yaml)?;
        self.say(format!(
            "template: {} lines of CloudFormation describe a bucket, a table and a Redis (`rstack template`)",
            text.lines().count()
        ));
        Ok(())
    }

    async fn up(&self) -> Result<Stack> {
        self.say("up: CloudFormation makes all of it as one stack (`rstack up`)");
        let args = up::Args::default();
        let report = Box::pin(up::bring_up(self.context, self.aws, self.name, &args)).await?;
        Ok(report.stack)
    }

    fn stores(&self, stack: &Stack) -> Result<[Box<dyn Store>; 3]> {
        let endpoints = stack.outputs.endpoints()?;
        let redis = RedisAddress::new(endpoints.redis.address, endpoints.redis.port);
        Ok([
            Box::new(S3Store::new(self.aws.s3().clone(), endpoints.bucket)),
            Box::new(DynamoDbStore::new(self.aws.dynamodb().clone(), endpoints.table)),
            Box::new(RedisStore::new(redis)),
        ])
    }

    /// Publishes the demo scripts; gives their keys.
    async fn seed(&self, stack: &Stack, stores: &[Box<dyn Store>; 3]) -> Result<Vec<String>> {
        let (tree, area) = (Tree::demo(), Area::default());
        self.say(format!(
            "seed: {} small Python files go to every store under the same keys, and are read back (`rstack seed`)",
            tree.len()
        ));
        let stores: Vec<&dyn Store> = stores.iter().map(AsRef::as_ref).collect();
        let job = Publish {
            tree: &tree,
            area: &area,
            stack_id: &stack.id,
            stores: &stores,
            unanswered: &[],
            dry_run: false,
            reporter: self.context.ui,
            interrupt: &self.context.interrupt,
        };
        let report = Box::pin(publish(&job)).await?;
        if report.outcome() != Outcome::Done {
            let problem = report.stores.iter().find_map(|store| store.trouble.problem.as_deref());
            let problem = problem.unwrap_or("a store is not complete");
            return Err(Error::unexpected(format!("not all scripts were seeded: {problem}")));
        }
        Ok(tree.paths().map(|path| area.key(path)).collect())
    }

    async fn status(&self) -> Result<()> {
        self.say("status: what there is now, and how quickly each store answers (`rstack status`)");
        let looking = status::status(self.aws, self.name.as_str(), Timestamp::now());
        let report = self.context.until_interrupted(looking).await?;
        let report = report.ok_or_else(|| self.context.no_environment(self.name, self.aws))?;
        self.context.ui.data("status", &report, |style| {
            format!("\n{}\n", super::status::words::one(&report, style))
        });
        Ok(())
    }

    async fn read_back(&self, stores: &[Box<dyn Store>; 3], keys: &[String]) -> Result<Vec<Reading>> {
        self.say("read: the scripts come back from each store, one by one, as Python's imports ask for them");
        let readings = self.context.until_interrupted(reading::read(stores, keys)).await?;
        self.context.ui.data("reads", &readings, |style| {
            format!("\n{}\n", words::of_readings(&readings, style))
        });
        Ok(readings)
    }

    async fn import(&self, stack: &Stack) -> Result<Vec<Imported>> {
        let Some(site) = importing::site(self.context).await? else {
            self.say(
                "import: left out, since no `python3` in PATH has the package; `pip install .` in a clone of rstack gives it",
            );
            return Ok(Vec::new());
        };
        self.say("import: Python imports `foo` from each store, with no copy on the disk (`rstack run -- python …`)");
        let imports = importing::import(self.context, &stack.outputs.endpoints()?, &site).await?;
        self.context.ui.data("imports", &imports, |style| {
            format!("\n{}\n", words::of_imports(&imports, style))
        });
        Ok(imports)
    }

    async fn down(&self) -> Result<()> {
        self.say("down: the bucket is emptied, the stack deleted, and every service asked whether anything is left (`rstack down`)");
        let wanted = Down {
            name: self.name,
            force: false,
            retain: &[],
            any_stack: false,
        };
        let plan = Box::pin(plan(self.aws, &wanted, Depth::Glance)).await?;
        let plan = plan.ok_or_else(|| self.context.no_environment(self.name, self.aws))?;
        let report = Box::pin(down::take_down(self.context, self.aws, &plan, &wanted, None)).await?;
        if report.outcome() == Outcome::Done {
            Ok(())
        } else {
            Err(Error::unexpected(
                "something of the environment is still there after `down`",
            ))
        }
    }
}
