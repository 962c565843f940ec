//! Tables for people: no lines, as wide as the terminal.

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use domain::console::visible;

/// A table with its header, at most `width` columns wide; nothing from outside reaches the terminal as a control character.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.force_no_tty().load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    if let Some(width) = width {
        table.set_width(width);
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| visible(cell).into_owned()));
    }
    // Cells have a space on either side; the first column stands at the margin.
    let lines: Vec<String> = table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}
