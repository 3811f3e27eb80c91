//! Resources as bars over time, as the console of CloudFormation draws them.

use rstack::stack::{Lane, Phase, Timeline, Tone};

use super::blocks;
use super::font;
use super::scale::Scale;
use super::scene::{Anchor, Ink, Scene};
use crate::ui::line::Line;
use crate::ui::style::Role;
use crate::ui::{Style, text};

const WIDTH: f64 = 960.0;
const EDGE: f64 = 24.0;
const ROW: f64 = 38.0;
const BAR: f64 = 18.0;
const WIDEST_LABEL: f64 = 230.0;
/// What was before the last action, in pixels.
const WIDEST_STORY: f64 = 280.0;
/// Sizes of letters.
const NAME: f64 = 13.0;
const SMALL: f64 = 11.0;
/// Columns from which on a lane takes one line.
const ROOMY: usize = 76;

/// What the colours and the blocks mean.
const LEGEND: [(Tone, &str, &str); 4] = [
    (Tone::Good, "█", "done"),
    (Tone::Busy, "░", "going on"),
    (Tone::Bad, "▓", "failed, cut short, rolled back"),
    (Tone::Quiet, "▒", "deleted"),
];

/// For a file.
pub(crate) fn draw(timeline: &Timeline) -> Scene {
    let lanes = u32::try_from(timeline.lanes.len()).map_or(0.0, f64::from);
    let (top, room) = (78.0, WIDTH - 2.0 * EDGE);
    let bottom = top + lanes * ROW;
    let mut scene = Scene::new(WIDTH, bottom + 72.0);
    let fits = |title: &str| font::width(title, 19.0) <= room;
    scene.text((EDGE, 30.0), 19.0, Anchor::Start, Ink::Text, headline(timeline, fits));
    let began = format!("from {} on, by the events of the stack", timeline.began);
    scene.text((EDGE, 54.0), 12.0, Anchor::Start, Ink::Faint, began);
    let plot = Plot::new(timeline);
    for (share, label) in plot.scale.marks() {
        let x = plot.left + share * plot.width;
        scene.line((x, top), (x, bottom), Ink::Grid);
        scene.text((x, bottom + 14.0), 12.0, Anchor::Middle, Ink::Faint, label);
    }
    for (lane, y) in timeline
        .lanes
        .iter()
        .zip(std::iter::successors(Some(top), |y| Some(y + ROW)))
    {
        plot.lane(&mut scene, lane, y);
    }
    legend(&mut scene, bottom + 48.0);
    scene
}

fn legend(scene: &mut Scene, y: f64) {
    let mut x = EDGE;
    for (tone, _, meaning) in LEGEND {
        scene.block(x, y - 6.0, 12.0, 12.0, tone.into());
        scene.text((x + 18.0, y), 12.0, Anchor::Start, Ink::Faint, meaning);
        x += 18.0 + font::width(meaning, 12.0) + 20.0;
    }
}

/// Where the bars of a picture are.
struct Plot {
    scale: Scale,
    labels: f64,
    left: f64,
    width: f64,
}

impl Plot {
    fn new(timeline: &Timeline) -> Self {
        let lanes = &timeline.lanes;
        let widest = |size: f64, text: &dyn Fn(&Lane) -> String| {
            let widths = lanes.iter().map(|lane| font::width(&text(lane), size));
            widths.fold(0.0, f64::max)
        };
        let names = widest(NAME, &|lane| lane.logical_id.clone());
        let types = widest(SMALL, &|lane| lane.resource_type.clone());
        let endings = widest(NAME, &ending).max(widest(SMALL, &earlier).min(WIDEST_STORY));
        let labels = names.max(types).min(WIDEST_LABEL);
        let left = EDGE + labels + 14.0;
        Self {
            scale: Scale::of(std::iter::once(timeline.seconds)),
            labels,
            left,
            width: (WIDTH - EDGE - endings - 12.0 - left).max(120.0),
        }
    }

    fn lane(&self, scene: &mut Scene, lane: &Lane, y: f64) {
        let middle = y + ROW / 2.0;
        let name = font::fit(&lane.logical_id, NAME, self.labels);
        scene.text((EDGE, middle - 7.0), NAME, Anchor::Start, Ink::Text, name);
        let kind = font::fit(&lane.resource_type, SMALL, self.labels);
        scene.text((EDGE, middle + 8.0), SMALL, Anchor::Start, Ink::Faint, kind);
        for phase in &lane.phases {
            let x = |seconds| self.left + self.scale.share(seconds) * self.width;
            let (from, to) = (x(phase.start), x(phase.end));
            // One that follows at once is told apart by a gap.
            let width = (to - from - 1.0).max(2.0);
            scene.block(from, middle - BAR / 2.0, width, BAR, tone(phase).into());
            let inside = told(phase);
            if lane.phases.len() > 1 && font::width(&inside, SMALL) + 8.0 <= to - from {
                let at = (f64::midpoint(from, to), middle);
                scene.text(at, SMALL, Anchor::Middle, Ink::Paper, inside);
            }
        }
        let (x, before) = (self.left + self.width + 12.0, earlier(lane));
        let down = if before.is_empty() { 0.0 } else { 8.0 };
        let before = font::fit(&before, SMALL, WIDTH - EDGE - x);
        scene.text((x, middle - 8.0), SMALL, Anchor::Start, Ink::Faint, before);
        scene.text((x, middle + down), NAME, Anchor::Start, Ink::Text, ending(lane));
    }
}

/// For the terminal.
pub(crate) fn words(timeline: &Timeline, style: Style) -> String {
    let fits = |title: &str| text::width(title) <= style.width;
    let mut lines = vec![Line::new().and(Role::Strong, headline(timeline, fits))];
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let names = longest(&mut timeline.lanes.iter().map(|lane| text::width(&lane.logical_id))).min(24);
    let endings = longest(&mut timeline.lanes.iter().map(|lane| text::width(&ending(lane))));
    let roomy = style.width >= ROOMY;
    let columns = if roomy {
        style.width.saturating_sub(names + endings + 4).max(16)
    } else {
        style.width.saturating_sub(2).max(8)
    };
    let scale = Scale::of(std::iter::once(timeline.seconds));
    let indent = " ".repeat(if roomy { names + 2 } else { 2 });
    for lane in &timeline.lanes {
        let name = text::cut_middle(&lane.logical_id, names).into_owned();
        let gap = " ".repeat(names - text::width(&name));
        let last = lane.phases.last().map_or(Role::Plain, |phase| tone(phase).into());
        let beginning = Line::new().and(Role::Strong, name);
        if roomy {
            let line = blocks_of(lane, scale, columns, beginning.plain(format!("{gap}  ")));
            lines.push(line.plain("  ").and(last, ending(lane)));
        } else {
            lines.push(beginning.plain(" ").and(last, ending(lane)));
            lines.push(blocks_of(lane, scale, columns, Line::new().plain("  ")));
        }
        for before in text::wrapped(&earlier(lane), style.width.saturating_sub(indent.len())) {
            lines.push(Line::new().and(Role::Quiet, format!("{indent}{before}")));
        }
    }
    let axis = blocks::axis(&scale.marks(), columns);
    lines.push(Line::new().and(Role::Quiet, format!("{indent}{axis}")));
    let legend = LEGEND
        .map(|(_, block, meaning)| format!("{block} {meaning}"))
        .join("; ");
    for part in text::wrapped(&legend, style.width) {
        lines.push(Line::new().and(Role::Quiet, part));
    }
    Line::sheet(&lines, style)
}

/// A lane's bar, after what `line` has already.
fn blocks_of(lane: &Lane, scale: Scale, columns: usize, mut drawn: Line) -> Line {
    let mut cells: Vec<Option<Tone>> = vec![None; columns];
    for phase in &lane.phases {
        for cell in blocks::stretch(scale.share(phase.start), scale.share(phase.end), columns) {
            if let Some(cell) = cells.get_mut(cell) {
                *cell = Some(tone(phase));
            }
        }
    }
    for run in cells.chunk_by(|one, other| one == other) {
        let (role, block) = match run[0] {
            None => (Role::Quiet, "·"),
            Some(tone) => (tone.into(), block(tone)),
        };
        drawn = drawn.and(role, block.repeat(run.len()));
    }
    drawn
}

fn block(tone: Tone) -> &'static str {
    let found = LEGEND.iter().find(|(other, ..)| *other == tone);
    found.map_or("█", |(_, block, _)| block)
}

fn tone(phase: &Phase) -> Tone {
    if phase.cut_short {
        Tone::Bad
    } else {
        phase.status.tone()
    }
}

/// The stack, how it is and since when; where that does not fit, the name loses its middle.
fn headline(timeline: &Timeline, fits: impl Fn(&str) -> bool) -> String {
    let Timeline { stack, status, .. } = timeline;
    let with = |name: &str| format!("{name}: {status} after {}", text::precise(timeline.seconds));
    let names = (1..=text::width(stack))
        .rev()
        .map(|columns| text::cut_middle(stack, columns));
    let fitting = names.map(|name| with(&name)).find(|headline| fits(headline));
    fitting.unwrap_or_else(|| with(stack))
}

/// What an action came to, and how long it took.
fn told(phase: &Phase) -> String {
    let took = text::precise(phase.end - phase.start);
    if phase.cut_short {
        format!("{} cut short after {took}", phase.action())
    } else {
        format!("{} {took}", phase.status)
    }
}

/// How a lane ended, and how long its last action took.
fn ending(lane: &Lane) -> String {
    lane.phases.last().map(told).unwrap_or_default()
}

/// What came before that.
fn earlier(lane: &Lane) -> String {
    let before = &lane.phases[..lane.phases.len().saturating_sub(1)];
    before.iter().map(told).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use rstack::time::Timestamp;

    use super::*;
    use crate::ui::chart::Picture;

    /// A creation that was rolled back, of which something goes on.
    fn timeline() -> Timeline {
        let phase = |status: &str, start: f64, end: f64, cut_short: bool| Phase {
            status: status.into(),
            start,
            end,
            cut_short,
            reason: None,
        };
        let lane = |logical_id: &str, phases: Vec<Phase>| Lane {
            logical_id: logical_id.to_owned(),
            resource_type: "AWS::S3::Bucket".to_owned(),
            phases,
        };
        Timeline {
            stack: "demo-of-somebody-with-a-name-as-long-as-names-may-be-at-all".to_owned(),
            status: "ROLLBACK_IN_PROGRESS".into(),
            began: Timestamp::parse("2026-11-01T12:00:00Z").expect("a time"),
            seconds: 100.0,
            lanes: vec![
                lane(
                    "demo",
                    vec![
                        phase("CREATE_IN_PROGRESS", 0.0, 30.0, true),
                        phase("ROLLBACK_IN_PROGRESS", 30.0, 100.0, false),
                    ],
                ),
                lane(
                    "bucket",
                    vec![
                        phase("CREATE_COMPLETE", 1.0, 3.0, false),
                        phase("DELETE_COMPLETE", 31.0, 33.0, false),
                    ],
                ),
                lane("redis", vec![phase("CREATE_FAILED", 1.0, 29.0, false)]),
            ],
        }
    }

    #[test]
    fn each_action_is_told_and_what_was_cut_short_does_not_go_on() {
        let style = Style {
            color: false,
            width: 80,
            cut: true,
        };
        insta::assert_snapshot!(words(&timeline(), style), @r"
        demo-of-somebody-with-…as-names-may-be-at-all: ROLLBACK_IN_PROGRESS after 1m 40s
        demo    ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓  ROLLBACK_IN_PROGRESS 70.0 s
                CREATE cut short after 30.0 s
        bucket  █············▒·····························  DELETE_COMPLETE 2.00 s
                CREATE_COMPLETE 2.00 s
        redis   ▓▓▓▓▓▓▓▓▓▓▓▓·······························  CREATE_FAILED 28.0 s
                ╵0 s             ╵40 s            ╵80 s
        █ done; ░ going on; ▓ failed, cut short, rolled back; ▒ deleted
        ");
        let drawn = Picture::Svg.draw(&draw(&timeline())).expect("a picture");
        let drawn = String::from_utf8(drawn).expect("text");
        for text in [
            "CREATE cut short after 30.0 s",
            "ROLLBACK_IN_PROGRESS 70.0 s",
            "CREATE_COMPLETE 2.00 s",
            "DELETE_COMPLETE 2.00 s",
            "going on",
            "failed, cut short, rolled back",
        ] {
            assert!(drawn.contains(&format!("\n{text}\n")), "{text}: {drawn}");
        }
    }
}
