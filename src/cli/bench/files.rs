//! Where else the figures go: `--plot` and `--csv`.

use std::path::Path;

use rstack::event::{Event, Reporter as _};
use rstack::{Error, Result};

use super::report::Report;
use crate::cli::Context;
use crate::cli::file::OutputFile;
use crate::ui::chart::{BarChart, Picture};

pub(super) struct Files {
    plot: Option<(Picture, OutputFile)>,
    csv: Option<OutputFile>,
}

impl Files {
    /// Asked before anything is measured.
    pub(super) fn of(plot: Option<&Path>, csv: Option<&Path>) -> Result<Self> {
        let csv = csv.map(OutputFile::new).transpose()?;
        let picture = |path| Ok::<_, Error>((Picture::of(path)?, OutputFile::new(path)?));
        let plot = plot.map(picture).transpose()?;
        if let (Some((_, plot)), Some(csv)) = (&plot, &csv)
            && plot.same(csv)
        {
            let shown = csv.path().display();
            return Err(Error::usage(format!("`--plot` and `--csv` both name `{shown}`"))
                .with_hint("name two files: one would replace the other"));
        }
        Ok(Self { plot, csv })
    }

    /// Writes both, the second also when the first fails; says where they are.
    ///
    /// # Errors
    /// The first one; a second is a warning.
    pub(super) async fn write(&self, context: &Context<'_>, report: &Report, chart: &BarChart) -> Result<()> {
        let plotted = match &self.plot {
            Some((picture, file)) => match picture.draw(&chart.scene()) {
                Ok(drawn) => said(context, "chart is", file, drawn).await,
                Err(error) => Err(error),
            },
            None => Ok(()),
        };
        let listed = match &self.csv {
            Some(file) => said(context, "figures are", file, report.csv().into_bytes()).await,
            None => Ok(()),
        };
        if let (Err(_), Err(second)) = (&plotted, &listed) {
            let (message, hint) = (second.to_string(), second.hint.clone());
            context.ui.report(&Event::Warning { message, hint });
        }
        plotted.and(listed)
    }
}

async fn said(context: &Context<'_>, what: &str, file: &OutputFile, bytes: Vec<u8>) -> Result<()> {
    file.write(context, bytes).await?;
    let message = format!("the {what} in `{}`", file.path().display());
    context.ui.report(&Event::Note { message });
    Ok(())
}
