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
/// Columns from which on a lane takes one line.
const ROOMY: usize = 76;

/// For a file.
pub(crate) fn draw(timeline: &Timeline) -> Scene {
    let lanes = u32::try_from(timeline.lanes.len()).map_or(0.0, f64::from);
    let (top, room) = (78.0, WIDTH - 2.0 * EDGE);
    let bottom = top + lanes * ROW;
    let mut scene = Scene::new(WIDTH, bottom + 48.0);
    let title = font::fit(&headline(timeline), 19.0, room);
    scene.text((EDGE, 30.0), 19.0, Anchor::Start, Ink::Text, title);
    let began = format!("from {} on, by the events of the stack", timeline.began);
    scene.text(
        (EDGE, 54.0),
        12.0,
        Anchor::Start,
        Ink::Faint,
        font::fit(&began, 12.0, room),
    );
    let widest = |texts: Vec<String>| texts.iter().map(|text| font::width(text, 13.0)).fold(0.0, f64::max);
    let names = timeline.lanes.iter().map(|lane| lane.logical_id.clone()).collect();
    let types = timeline.lanes.iter().map(|lane| lane.resource_type.clone()).collect();
    let labels = widest(names).max(widest(types) * 0.85).min(WIDEST_LABEL);
    let endings = widest(timeline.lanes.iter().map(ending).collect());
    let left = EDGE + labels + 14.0;
    let width = (WIDTH - EDGE - endings - 12.0 - left).max(120.0);
    let scale = Scale::Linear(timeline.seconds.max(f64::MIN_POSITIVE));
    let x = |seconds: f64| left + scale.share(seconds) * width;
    for tick in scale.ticks() {
        scene.line((x(tick), top), (x(tick), bottom), Ink::Grid);
        scene.text(
            (x(tick), bottom + 14.0),
            12.0,
            Anchor::Middle,
            Ink::Faint,
            text::round(tick),
        );
    }
    for (lane, y) in timeline
        .lanes
        .iter()
        .zip(std::iter::successors(Some(top), |y| Some(y + ROW)))
    {
        let name = font::fit(&lane.logical_id, 13.0, labels);
        scene.text((EDGE, y + ROW / 2.0 - 7.0), 13.0, Anchor::Start, Ink::Text, name);
        let kind = font::fit(&lane.resource_type, 11.0, labels);
        scene.text((EDGE, y + ROW / 2.0 + 8.0), 11.0, Anchor::Start, Ink::Faint, kind);
        for phase in &lane.phases {
            let (from, to) = (x(phase.start), x(phase.end));
            let ink = Ink::from(tone(phase));
            scene.block(from, y + (ROW - BAR) / 2.0, (to - from).max(2.0), BAR, ink);
            let inside = format!("{} {}", phase.status, text::precise(phase.end - phase.start));
            if lane.phases.len() > 1 && font::width(&inside, 11.0) + 8.0 <= to - from {
                let at = (f64::midpoint(from, to), y + ROW / 2.0);
                scene.text(at, 11.0, Anchor::Middle, Ink::Paper, inside);
            }
        }
        let at = (left + width + 12.0, y + ROW / 2.0);
        scene.text(at, 13.0, Anchor::Start, Ink::Text, ending(lane));
    }
    scene
}

/// For the terminal.
pub(crate) fn words(timeline: &Timeline, style: Style) -> String {
    let mut lines = vec![Line::new().and(Role::Strong, headline(timeline))];
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let names = longest(&mut timeline.lanes.iter().map(|lane| text::width(&lane.logical_id))).min(24);
    let endings = longest(&mut timeline.lanes.iter().map(|lane| text::width(&ending(lane))));
    let roomy = style.width >= ROOMY;
    let columns = if roomy {
        style.width.saturating_sub(names + endings + 4).clamp(16, 100)
    } else {
        style.width.saturating_sub(2).clamp(8, 100)
    };
    let scale = Scale::Linear(timeline.seconds.max(f64::MIN_POSITIVE));
    for lane in &timeline.lanes {
        let name = text::cut(&lane.logical_id, names).into_owned();
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
    }
    let ticks: Vec<(f64, String)> = scale
        .ticks()
        .into_iter()
        .map(|tick| (scale.share(tick), text::round(tick)))
        .collect();
    let indent = " ".repeat(if roomy { names + 2 } else { 2 });
    lines.push(Line::new().and(Role::Quiet, format!("{indent}{}", blocks::axis(&ticks, columns))));
    let legend = "█ done; ░ going on; ▓ failed, rolled back; ▒ deleted";
    for part in text::wrapped(legend, style.width) {
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
            Some(Tone::Good) => (Role::Good, "█"),
            Some(Tone::Busy) => (Role::Busy, "░"),
            Some(Tone::Bad) => (Role::Bad, "▓"),
            Some(Tone::Quiet) => (Role::Quiet, "▒"),
        };
        drawn = drawn.and(role, block.repeat(run.len()));
    }
    drawn
}

fn tone(phase: &Phase) -> Tone {
    phase.status.tone()
}

fn headline(timeline: &Timeline) -> String {
    let Timeline { stack, status, .. } = timeline;
    format!("{stack}: {status} after {}", text::precise(timeline.seconds))
}

/// How a lane ended, and how long its last action took.
fn ending(lane: &Lane) -> String {
    let Some(phase) = lane.phases.last() else {
        return String::new();
    };
    format!("{} {}", phase.status, text::precise(phase.end - phase.start))
}
