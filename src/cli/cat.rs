//! `rstack cat`.

use aws_smithy_types::base64;
use clap::Args as ClapArgs;
use rstack::release::ContentHash;
use rstack::{Error, Outcome, Result};
use serde::Serialize;

use super::{Context, source};

/// Print a file of a source
#[derive(Debug, ClapArgs)]
#[command(after_help = format!("{AFTER_HELP}\n\n{}", source::HELP))]
pub(crate) struct Args {
    /// What to look into
    #[arg(value_name = "SOURCE")]
    source: String,
    /// The file
    #[arg(value_name = "PATH")]
    path: String,
    #[command(flatten)]
    at: source::At,
}

const AFTER_HELP: &str = "\
stdout: the file, byte for byte.

Exit codes: 0 printed, 1 there is no such file or release or a store cannot be read, 2 usage

Examples:
  rstack cat -n demo prod foo/module1.py --at 2026-11-01T12:00:00Z";

#[derive(Debug, Serialize)]
struct Report<'a> {
    path: &'a str,
    size: u64,
    sha256: ContentHash,
    /// Absent when it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<Outcome> {
        let url = source::url(context, Some(&self.source), &self.at)?;
        let source = Box::pin(source::open(context, &url)).await?;
        let wanted = [self.path.as_str()];
        let reading = source.read_many(&wanted);
        let found = context.until_interrupted(reading).await?.pop().flatten();
        source::tell(context, &source);
        let (Some(file), Some(entry)) = (found, source.find(&self.path)) else {
            return Err(
                Error::refused(format!("there is no `{}` in `{}`", self.path, self.source))
                    .with_hint("`rstack ls` lists what there is"),
            );
        };
        let text = std::str::from_utf8(&file).ok();
        let report = Report {
            path: &self.path,
            size: entry.size,
            sha256: entry.sha256,
            text,
            base64: text.is_none().then(|| base64::encode(&file)),
        };
        context.ui.finish("cat", &report, Outcome::Done, |_| &file);
        Ok(Outcome::Done)
    }
}
