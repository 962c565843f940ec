//! Tables for people: no lines, as wide as the terminal.

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use domain::console::visible;

/// A table with its header; nothing from outside reaches the terminal as a control character.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    for row in rows {
        table.add_row(row.iter().map(|cell| visible(cell).into_owned()));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}
