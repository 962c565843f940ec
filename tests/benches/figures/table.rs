//! One table: the figure, its bound, and the ratio between them.

/// A figure with its bound.
pub struct Row {
    /// `P1` ...
    pub bound_of: &'static str,
    /// What was measured.
    pub what: String,
    /// The figure.
    pub figure: f64,
    /// Its unit.
    pub unit: &'static str,
    /// The bound.
    pub bound: f64,
    /// Whether more is better.
    pub more_is_better: bool,
}

impl Row {
    /// A figure that must not be above its bound.
    pub fn at_most(bound_of: &'static str, what: impl Into<String>, figure: f64, bound: f64, unit: &'static str) -> Self {
        Self { bound_of, what: what.into(), figure, unit, bound, more_is_better: false }
    }

    /// A figure that must not be below its bound.
    pub fn at_least(bound_of: &'static str, what: impl Into<String>, figure: f64, bound: f64, unit: &'static str) -> Self {
        Self { bound_of, what: what.into(), figure, unit, bound, more_is_better: true }
    }
}

/// Prints the table.
pub fn print(rows: &[Row]) {
    println!("| | what | figure | bound | figure / bound | within |");
    println!("|---|---|---:|---:|---:|---|");
    for row in rows {
        let sign = if row.more_is_better { "≥" } else { "≤" };
        let within = if row.more_is_better { row.figure >= row.bound } else { row.figure <= row.bound };
        println!(
            "| {} | {} | {:.2} {unit} | {sign} {} {unit} | {:.2} | {} |",
            row.bound_of,
            row.what,
            row.figure,
            row.bound,
            row.figure / row.bound,
            if within { "yes" } else { "no" },
            unit = row.unit,
        );
    }
}

/// The value at a quantile between 0 and 1 of unsorted values.
pub fn quantile(values: &[f64], quantile: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
    let index = (quantile * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
