//! `rstack ls`.

use clap::Args as ClapArgs;
use rstack::release::ContentHash;
use rstack::{Outcome, Result};
use serde::Serialize;

use super::{Context, source};
use crate::ui::{Role, Style, Table, text};

/// List the files of a source
#[derive(Debug, ClapArgs)]
#[command(after_help = format!("{AFTER_HELP}\n\n{}", source::HELP))]
pub(crate) struct Args {
    /// What to look into [default: the area `main` of the environment]
    #[arg(value_name = "SOURCE")]
    source: Option<String>,
    #[command(flatten)]
    at: source::At,
}

const AFTER_HELP: &str = "\
stdout: size, the start of the SHA-256, and path of every file; then the paths and directories that a hot fix hides in \
areas behind it.

Exit codes: 0 listed, 1 there is no such release or a store cannot be read, 2 usage

Examples:
  rstack ls -n demo prod
  rstack ls -n demo 'hotfix;prod' --at 2026-11-01T12:00:00Z";

#[derive(Debug, Serialize)]
struct File {
    path: String,
    size: u64,
    sha256: ContentHash,
    /// Which part of the source has it, from 0.
    member: usize,
}

#[derive(Debug, Serialize)]
struct Report {
    files: Vec<File>,
    bytes: u64,
    /// Paths that it hides in sources behind it.
    hidden: Vec<String>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let url = source::url(context, self.source.as_deref(), &self.at)?;
        let source = Box::pin(source::open(context, &url)).await?;
        let files = source.list().into_iter().map(|(path, entry)| File {
            path,
            size: entry.size,
            sha256: entry.sha256,
            member: entry.member,
        });
        let files: Vec<File> = files.collect();
        let report = Report {
            bytes: files.iter().map(|file| file.size).sum(),
            files,
            hidden: source.hidden().into_iter().map(str::to_owned).collect(),
        };
        context
            .ui
            .finish("ls", &report, Outcome::Done, |style| words(&report, style));
        Ok(Outcome::Done)
    }
}

fn words(report: &Report, style: Style) -> String {
    let mut table = Table::new(&[">SIZE", "SHA-256", "PATH"]);
    for file in &report.files {
        let sha256: String = file.sha256.to_string().chars().take(12).collect();
        table.row([
            (Role::Plain, text::bytes(file.size)),
            (Role::Quiet, sha256),
            (Role::Strong, file.path.clone()),
        ]);
    }
    for path in &report.hidden {
        table.row([
            (Role::Quiet, "hidden".to_owned()),
            (Role::Quiet, String::new()),
            (Role::Strong, path.clone()),
        ]);
    }
    table.render(style)
}
