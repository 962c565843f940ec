//! The table that is printed at the end: calls down, faults across.

use std::{collections::BTreeMap, time::Duration};

use super::{call::Call, fault::Fault};

/// What came of the cases, by row and column.
#[derive(Debug, Default)]
pub(super) struct Table {
    cells: BTreeMap<(usize, usize), Result<Duration, String>>,
}

impl Table {
    pub(super) fn put(&mut self, row: usize, column: usize, result: Result<Duration, String>) {
        self.cells.insert((row, column), result);
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// What went wrong, case by case.
    pub(super) fn wrong(&self, calls: &[Call]) -> Vec<String> {
        let failed = self.cells.iter().filter_map(|((row, column), result)| Some((row, column, result.as_ref().err()?)));
        failed.map(|(row, column, why)| format!("{} at {}: {why}", Fault::ALL[*column].title(), calls[*row].title())).collect()
    }

    /// As text, the rows that have a case: seconds for one that held, `FAIL`, `.` for one that was not run, nothing for one that
    /// cannot be.
    pub(super) fn text(&self, calls: &[Call]) -> String {
        let mut table = comfy_table::Table::new();
        table.force_no_tty().load_style(comfy_table::presets::NOTHING);
        table.set_header(std::iter::once("call").chain(Fault::ALL.map(Fault::title)));
        let told = |row: &usize| self.cells.keys().any(|(of, _)| of == row);
        for (row, call) in calls.iter().enumerate().filter(|(row, _)| told(row)) {
            let cells = Fault::ALL.iter().enumerate().map(|(column, fault)| match self.cells.get(&(row, column)) {
                Some(Ok(took)) => format!("{:.1}", took.as_secs_f64()),
                Some(Err(_)) => "FAIL".to_owned(),
                None if fault.befalls(call.is_write) => ".".to_owned(),
                None => String::new(),
            });
            table.add_row(std::iter::once(call.title()).chain(cells));
        }
        table.to_string()
    }
}
