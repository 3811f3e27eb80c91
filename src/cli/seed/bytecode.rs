//! `--compile`: bytecode with the scripts.

use clap::Args as ClapArgs;
use rstack::Result;
use rstack::bytecode::{self, Compiled, Interpreter, Uncompilable};
use rstack::event::{Event, Reporter as _};
use rstack::publish::Tree;

use crate::cli::Context;
use crate::ui::{Line, Role, text};

/// So many scripts that cannot be compiled are named; the JSON report names all.
const NAMED: usize = 10;

#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct CompileOption {
    /// Publish bytecode too, so that no reader has to compile: for each Python in PATH, or for those named (with commas)
    #[arg(
        long,
        value_name = "PYTHON",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_delimiter = ','
    )]
    compile: Option<Vec<String>>,
}

impl CompileOption {
    /// The interpreters to compile for; none where it was not asked for.
    pub(super) async fn interpreters(&self) -> Result<Vec<Interpreter>> {
        match &self.compile {
            None => Ok(Vec::new()),
            Some(named) => {
                let named: Vec<String> = named.iter().filter(|name| !name.is_empty()).cloned().collect();
                Interpreter::find(&named).await
            }
        }
    }
}

/// The tree with bytecode for these interpreters.
pub(super) async fn compile(
    context: &Context<'_>,
    tree: Tree,
    interpreters: &[Interpreter],
) -> Result<(Tree, Vec<Compiled>)> {
    if interpreters.is_empty() {
        return Ok((tree, Vec::new()));
    }
    let (tree, compiled) = bytecode::compile(tree, interpreters, context.ui, &context.interrupt).await?;
    for compiled in &compiled {
        warn(context, compiled);
    }
    Ok((tree, compiled))
}

fn warn(context: &Context<'_>, compiled: &Compiled) {
    let mut messages: Vec<String> = compiled
        .uncompilable
        .iter()
        .take(NAMED)
        .map(|Uncompilable { path, reason }| {
            format!("`{path}` has no bytecode for Python {}: {reason}", compiled.version)
        })
        .collect();
    if let Some(more) = compiled.uncompilable.len().checked_sub(NAMED).filter(|more| *more > 0) {
        messages.push(format!(
            "{more} more scripts have no bytecode for Python {}",
            compiled.version
        ));
    }
    for message in messages {
        context.ui.report(&Event::Warning { message, hint: None });
    }
}

pub(super) fn words(compiled: &Compiled) -> Line {
    let Compiled {
        tag,
        version,
        files,
        bytes,
        ..
    } = compiled;
    Line::new()
        .plain(format!(
            "bytecode for Python {version}: {}, {}",
            text::count(*files, "file"),
            text::bytes(*bytes)
        ))
        .and(Role::Quiet, format!(" ({tag})"))
}
