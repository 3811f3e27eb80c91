//! Times as bars: the article's chart.

use super::blocks;
use super::font;
use super::scale::Scale;
use super::scene::{Anchor, Ink, Scene};
use crate::ui::line::Line;
use crate::ui::style::Role;
use crate::ui::{Style, text};

/// Bars in groups, all on one axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BarChart {
    pub(crate) title: String,
    /// What the bars mean.
    pub(crate) note: String,
    pub(crate) groups: Vec<Group>,
}

/// Bars that belong together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) label: String,
    pub(crate) bars: Vec<Bar>,
}

/// One value, or that there is none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) ink: Ink,
    pub(crate) times: Option<Times>,
}

/// A value and its spread, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Times {
    pub(crate) seconds: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Bar {
    fn value(&self) -> String {
        self.times
            .map_or_else(|| "failed".to_owned(), |times| text::precise(times.seconds))
    }
}

const WIDTH: f64 = 860.0;
const EDGE: f64 = 24.0;
const BAR: f64 = 16.0;
const ROW: f64 = 24.0;
const LETTERS: f64 = 13.0;
const WIDEST_LABEL: f64 = 180.0;

impl BarChart {
    fn bars(&self) -> impl Iterator<Item = &Bar> {
        self.groups.iter().flat_map(|group| &group.bars)
    }

    fn times(&self) -> impl Iterator<Item = Times> {
        self.bars().filter_map(|bar| bar.times)
    }

    fn scale(&self) -> Scale {
        Scale::of(self.times().flat_map(|times| [times.low, times.seconds, times.high]))
    }

    /// The note, and from where to where lines reach, if there are any.
    fn legend(&self, lines: &str) -> String {
        if self.times().any(|times| times.high > times.low) {
            format!("{}; {lines}", self.note)
        } else {
            self.note.clone()
        }
    }

    /// For a file.
    pub(crate) fn scene(&self) -> Scene {
        let rows = self.bars().count() + self.groups.len();
        let rows = u32::try_from(rows).map_or(0.0, f64::from);
        let gaps = u32::try_from(self.groups.len()).map_or(0.0, f64::from) * 8.0;
        let top = 78.0;
        let bottom = top + rows * ROW + gaps;
        let mut scene = Scene::new(WIDTH, bottom + 70.0);
        let room = WIDTH - 2.0 * EDGE;
        let faint = |scene: &mut Scene, y: f64, text: &str| {
            let text = font::fit(text, 12.0, room);
            scene.text((EDGE, y), 12.0, Anchor::Start, Ink::Faint, text);
        };
        let title = font::fit(&self.title, 19.0, room);
        scene.text((EDGE, 30.0), 19.0, Anchor::Start, Ink::Text, title);
        faint(&mut scene, 54.0, &self.legend("lines from the fastest to P95"));
        let plot = Plot::new(self, top, bottom);
        plot.axis(&mut scene);
        let mut y = top;
        for group in &self.groups {
            let label = font::fit(&group.label, LETTERS + 1.0, room);
            // Free of the lines behind it.
            scene.block(EDGE, y, font::width(&label, LETTERS + 1.0) + 4.0, ROW, Ink::Paper);
            scene.text((EDGE, y + ROW / 2.0), LETTERS + 1.0, Anchor::Start, Ink::Text, label);
            y += ROW;
            let first = y;
            for bar in &group.bars {
                plot.bar(&mut scene, bar, y);
                y += ROW;
            }
            // Where bars begin; labels of groups may be wider than those of bars.
            scene.line((plot.left, first), (plot.left, y), Ink::Faint);
            y += 8.0;
        }
        scene
    }

    /// For the terminal: groups, bars as wide as there is room for, an axis below.
    pub(crate) fn words(&self, style: Style) -> String {
        let scale = self.scale();
        let labels = self.bars().map(|bar| text::width(&bar.label)).max().unwrap_or(0);
        let values = self.bars().map(|bar| text::width(&bar.value())).max();
        let beside = 2 + labels + 2 + 1 + values.unwrap_or(0);
        let columns = style.width.saturating_sub(beside).max(8);
        let mut lines = Vec::new();
        for group in &self.groups {
            lines.push(Line::new().and(Role::Strong, group.label.as_str()));
            for bar in &group.bars {
                let label = format!("  {}{}  ", bar.label, " ".repeat(labels - text::width(&bar.label)));
                let line = Line::new().plain(label);
                let Some(times) = bar.times else {
                    lines.push(line.and(Role::Bad, bar.value()));
                    continue;
                };
                let (drawn, spread) = blocks::bar(scale.share(times.seconds), scale.share(times.high), columns);
                let line = line.and(Role::Busy, drawn).and(Role::Quiet, spread);
                lines.push(line.plain(" ").and(Role::Strong, bar.value()));
            }
        }
        let indent = " ".repeat(labels + 4);
        let axis = blocks::axis(&scale.marks(), columns);
        lines.push(Line::new().and(Role::Quiet, format!("{indent}{axis}")));
        let kind = if scale.is_log() { "logarithmic; " } else { "" };
        let note = format!("{kind}{}", self.legend("lines from the median to P95"));
        for part in text::wrapped(&note, style.width) {
            lines.push(Line::new().and(Role::Quiet, part));
        }
        Line::sheet(&lines, style)
    }
}

/// Where the bars are.
struct Plot {
    scale: Scale,
    left: f64,
    width: f64,
    top: f64,
    bottom: f64,
}

impl Plot {
    fn new(chart: &BarChart, top: f64, bottom: f64) -> Self {
        let widest =
            |texts: &mut dyn Iterator<Item = String>| texts.map(|text| font::width(&text, LETTERS)).fold(0.0, f64::max);
        let labels = widest(&mut chart.bars().map(|bar| bar.label.clone())).min(WIDEST_LABEL);
        let values = widest(&mut chart.bars().map(Bar::value));
        let left = EDGE + 14.0 + labels + 10.0;
        Self {
            scale: chart.scale(),
            left,
            width: WIDTH - EDGE - values - 12.0 - left,
            top,
            bottom,
        }
    }

    fn x(&self, seconds: f64) -> f64 {
        self.at(self.scale.share(seconds))
    }

    fn at(&self, share: f64) -> f64 {
        self.left + share * self.width
    }

    fn axis(&self, scene: &mut Scene) {
        for (share, label) in self.scale.marks() {
            let x = self.at(share);
            scene.line((x, self.top), (x, self.bottom), Ink::Grid);
            scene.text((x, self.bottom + 14.0), 12.0, Anchor::Middle, Ink::Faint, label);
        }
        let kind = if self.scale.is_log() {
            "time, logarithmic; shorter is better"
        } else {
            "time; shorter is better"
        };
        let middle = self.left + self.width / 2.0;
        scene.text((middle, self.bottom + 40.0), 12.0, Anchor::Middle, Ink::Faint, kind);
    }

    fn bar(&self, scene: &mut Scene, bar: &Bar, y: f64) {
        let middle = y + ROW / 2.0;
        let label = font::fit(&bar.label, LETTERS, WIDEST_LABEL);
        scene.text((self.left - 10.0, middle), LETTERS, Anchor::End, Ink::Text, label);
        let Some(times) = bar.times else {
            value(scene, bar, self.left + 7.0, middle, Ink::Bad);
            return;
        };
        let end = self.x(times.seconds).max(self.left + 1.0);
        scene.block(self.left, middle - BAR / 2.0, end - self.left, BAR, bar.ink);
        let (low, high) = (self.x(times.low), self.x(times.high));
        if times.high > times.low {
            scene.line((low, middle), (high, middle), Ink::Text);
            for x in [low, high] {
                scene.line((x, middle - 4.0), (x, middle + 4.0), Ink::Text);
            }
        }
        value(scene, bar, high.max(end) + 7.0, middle, Ink::Text);
    }
}

/// The value of a bar, free of the lines behind it.
fn value(scene: &mut Scene, bar: &Bar, x: f64, middle: f64, ink: Ink) {
    let value = bar.value();
    let width = font::width(&value, LETTERS) + 4.0;
    scene.block(x - 2.0, middle - BAR / 2.0, width, BAR, Ink::Paper);
    scene.text((x, middle), LETTERS, Anchor::Start, ink, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> BarChart {
        let bar = |label: &str, seconds: f64| Bar {
            label: label.to_owned(),
            ink: Ink::Series(0),
            times: Some(Times {
                seconds,
                low: seconds * 0.9,
                high: seconds * 1.3,
            }),
        };
        let group = |label: &str, bars| Group {
            label: label.to_owned(),
            bars,
        };
        BarChart {
            title: "Loading 7 scripts".to_owned(),
            note: "median of 7 runs".to_owned(),
            groups: vec![
                group("s3", vec![bar("each", 0.645), bar("cold", 0.061)]),
                group("redis", vec![bar("each", 0.0052), bar("cold", 0.0014)]),
                group(
                    "dynamodb",
                    vec![Bar {
                        label: "each".to_owned(),
                        ink: Ink::Series(0),
                        times: None,
                    }],
                ),
            ],
        }
    }

    #[test]
    fn bars_fill_a_terminal_of_any_width() {
        let at = |width| {
            chart().words(Style {
                color: false,
                width,
                cut: true,
            })
        };
        insta::assert_snapshot!(at(60), @r"
        s3
          each  ██████████████████████████████████████████▎┤ 645 ms
          cold  ██████████████████████████▉─┤ 61.0 ms
        redis
          each  ██████████▊┤ 5.2 ms
          cold  ██▎┤ 1.4 ms
        dynamodb
          each  failed
                ╵1 ms          ╵10 ms         ╵100 ms
        logarithmic; median of 7 runs; lines from the median to P95
        ");
        for width in [0, 1, 20, 40, 80, 200] {
            let shown = at(width);
            assert!(
                shown.lines().all(|line| text::width(line) <= width.max(1)),
                "{width}:\n{shown}"
            );
        }
    }
}
