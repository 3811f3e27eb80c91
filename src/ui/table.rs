//! Tables that fit: columns as wide as their content, the widest texts cut when a terminal is too narrow, and one line
//! a cell when it is too narrow even for that. Whatever has to be read or copied whole is never cut.

use super::style::{Role, Style};
use super::text;

/// A column of text is not cut below this, so that something of it can still be read.
const NARROWEST: usize = 8;
const GAP: &str = "  ";

#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Clone, Copy)]
struct Column {
    heading: &'static str,
    kind: Kind,
}

/// What is in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// What loses its meaning when it is cut: a status, or a name or value that one copies.
    Whole,
    Number,
}

#[derive(Debug, Clone)]
struct Cell {
    role: Role,
    text: String,
}

impl Table {
    /// Headings that start with `>` make columns of numbers, aligned to the right; those that start with `=` make columns
    /// of texts that are never cut.
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Self {
            columns: headings.iter().copied().map(Column::of).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [(Role, String); N]) {
        debug_assert_eq!(N, self.columns.len());
        let cells = cells.map(|(role, text)| Cell {
            role,
            text: text::clean(&text).into_owned(),
        });
        self.rows.push(cells.into());
    }

    /// Without as many of these columns, the first ones first, as it takes for the others to fit a terminal uncut.
    pub(crate) fn without(mut self, dispensable: &[&str], style: Style) -> Self {
        for heading in dispensable {
            if !style.cut || self.natural().iter().sum::<usize>() <= self.room(style) {
                break;
            }
            let Some(at) = self.columns.iter().position(|column| column.heading == *heading) else {
                continue;
            };
            self.columns.remove(at);
            for row in &mut self.rows {
                row.remove(at);
            }
        }
        self
    }

    /// How wide each column is when nothing is cut.
    fn natural(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|c| text::width(c.heading)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(text::width(&cell.text));
            }
        }
        widths
    }

    /// What is left of a line for the columns.
    fn room(&self, style: Style) -> usize {
        style.width.saturating_sub(GAP.len() * (self.columns.len() - 1))
    }

    /// Every line ends with a newline; no line has spaces at its end.
    pub(crate) fn render(&self, style: Style) -> String {
        let Some(widths) = self.widths(style) else {
            return self.stacked(style);
        };
        let mut shown = String::new();
        let headings = self.columns.iter().map(|c| (Role::Quiet, c.heading)).collect();
        self.line(&mut shown, headings, &widths, style);
        for row in &self.rows {
            let cells = row.iter().map(|cell| (cell.role, cell.text.as_str())).collect();
            self.line(&mut shown, cells, &widths, style);
        }
        shown
    }

    fn line(&self, shown: &mut String, cells: Vec<(Role, &str)>, widths: &[usize], style: Style) {
        let last = cells.iter().rposition(|(_, text)| !text.is_empty()).unwrap_or(0);
        for (i, (role, text)) in cells.into_iter().enumerate().take(last + 1) {
            let text = text::cut(text, widths[i]);
            let padding = " ".repeat(widths[i] - text::width(&text));
            let painted = style.paint(role, &text);
            if i > 0 {
                shown.push_str(GAP);
            }
            match (self.columns[i].kind == Kind::Number, i == last) {
                (true, _) => shown.extend([padding.as_str(), painted.as_str()]),
                (false, true) => shown.push_str(&painted),
                (false, false) => shown.extend([painted.as_str(), padding.as_str()]),
            }
        }
        shown.push('\n');
    }

    /// One line a cell, after its heading; rows are set apart by an empty line. What may not be cut is left to the
    /// terminal, which wraps it.
    fn stacked(&self, style: Style) -> String {
        let longest = self.columns.iter().map(|c| text::width(c.heading)).max().unwrap_or(0);
        let room = style.width.saturating_sub(longest + GAP.len()).max(1);
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let mut shown = String::new();
            for (column, cell) in self.columns.iter().zip(row).filter(|(_, cell)| !cell.text.is_empty()) {
                let padding = " ".repeat(longest - text::width(column.heading));
                let heading = style.paint(Role::Quiet, column.heading);
                let value = match column.kind {
                    Kind::Text => style.paint(cell.role, &text::cut(&cell.text, room)),
                    Kind::Whole | Kind::Number => style.paint(cell.role, &cell.text),
                };
                shown.extend([&heading, &*padding, GAP, &value, "\n"]);
            }
            rows.push(shown);
        }
        rows.join("\n")
    }

    /// `None` when they do not fit.
    fn widths(&self, style: Style) -> Option<Vec<usize>> {
        let (mut widths, room) = (self.natural(), self.room(style));
        while style.cut && widths.iter().sum::<usize>() > room {
            let texts = widths
                .iter_mut()
                .zip(&self.columns)
                .filter(|(_, c)| c.kind == Kind::Text);
            let widest = texts.map(|(width, _)| width).max()?;
            if *widest <= NARROWEST {
                return None;
            }
            *widest -= 1;
        }
        Some(widths)
    }
}

impl Column {
    fn of(text: &'static str) -> Self {
        let (kind, heading) = match (text.strip_prefix('>'), text.strip_prefix('=')) {
            (Some(heading), _) => (Kind::Number, heading),
            (_, Some(heading)) => (Kind::Whole, heading),
            _ => (Kind::Text, text),
        };
        Self { heading, kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "TYPE", ">ITEMS"]);
        for (name, kind, items) in [
            ("bucket", "AWS::S3::Bucket", "7"),
            ("table", "AWS::DynamoDB::Table", "1,234"),
        ] {
            table.row([
                (Role::Strong, name.to_owned()),
                (Role::Quiet, kind.to_owned()),
                (Role::Plain, items.to_owned()),
            ]);
        }
        table
    }

    fn style(width: usize, cut: bool) -> Style {
        Style {
            color: false,
            width,
            cut,
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_content() {
        insta::assert_snapshot!(table().render(style(80, true)), @r"
        NAME    TYPE                  ITEMS
        bucket  AWS::S3::Bucket           7
        table   AWS::DynamoDB::Table  1,234
        ");
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_column_and_a_pipe_cuts_nothing() {
        insta::assert_snapshot!(table().render(style(28, true)), @r"
        NAME    TYPE           ITEMS
        bucket  AWS::S3::Buc…      7
        table   AWS::DynamoD…  1,234
        ");
        assert_eq!(table().render(style(28, false)), table().render(style(80, true)));
    }

    #[test]
    fn columns_that_can_be_spared_go_first_where_there_is_no_room() {
        let at = |width, cut| {
            let style = style(width, cut);
            table().without(&["ITEMS", "TYPE"], style).render(style)
        };
        assert_eq!(at(35, true), table().render(style(80, true)));
        assert_eq!(at(1, false), table().render(style(80, true)));
        insta::assert_snapshot!(at(34, true), @r"
        NAME    TYPE
        bucket  AWS::S3::Bucket
        table   AWS::DynamoDB::Table
        ");
        assert_eq!(at(1, true).lines().count(), 3);
    }

    #[test]
    fn a_terminal_too_narrow_for_columns_gets_a_line_a_cell() {
        insta::assert_snapshot!(table().render(style(22, true)), @r"
        NAME   bucket
        TYPE   AWS::S3::Bucket
        ITEMS  7

        NAME   table
        TYPE   AWS::DynamoDB:…
        ITEMS  1,234
        ");
    }

    #[test]
    fn what_must_be_whole_is_never_cut_but_gets_a_line_of_its_own() {
        let mut table = Table::new(&["=STATUS", "=NAME", "TYPE"]);
        table
            .row(["CREATE_COMPLETE", "demo-bucket-1x2y", "AWS::S3::Bucket"].map(|cell| (Role::Plain, cell.to_owned())));
        insta::assert_snapshot!(table.render(style(45, true)), @r"
        STATUS           NAME              TYPE
        CREATE_COMPLETE  demo-bucket-1x2y  AWS::S3::…
        ");
        insta::assert_snapshot!(table.render(style(40, true)), @r"
        STATUS  CREATE_COMPLETE
        NAME    demo-bucket-1x2y
        TYPE    AWS::S3::Bucket
        ");
        assert!(table.render(style(20, true)).contains("NAME    demo-bucket-1x2y\n"));
    }

    #[test]
    fn colours_and_escapes_do_not_shift_columns() {
        let mut table = Table::new(&["A", "B"]);
        table.row([(Role::Good, "x\n".to_owned()), (Role::Plain, "y".to_owned())]);
        let style = Style {
            color: true,
            width: 80,
            cut: true,
        };
        assert_eq!(
            table.render(style),
            "\u{1b}[2mA\u{1b}[0m    \u{1b}[2mB\u{1b}[0m\n\u{1b}[32mx\\n\u{1b}[0m  y\n"
        );
    }
}
