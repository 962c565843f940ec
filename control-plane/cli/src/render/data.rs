//! Data for programs: JSON and YAML of the same values.

use domain::error::{Error, ErrorCode};
use serde::Serialize;

use super::{Look, Screen};
use crate::args::Output;

/// Prints a value as data: as JSON or YAML, or with `table` for people.
///
/// # Errors
/// When the value has no such form, or can't be written.
pub fn print<T: Serialize>(
    screen: &mut Screen,
    output: Output,
    value: &T,
    table: impl FnOnce(Look) -> String,
) -> Result<(), Error> {
    let impossible = |error: String| Error::new(ErrorCode::Internal, format!("the answer can't be printed: {error}"));
    let text = match output {
        Output::Table => table(screen.out_look),
        Output::Json => serde_json::to_string(value).map_err(|error| impossible(error.to_string()))? + "\n",
        Output::Yaml => serde_saphyr::to_string(value).map_err(|error| impossible(error.to_string()))?,
    };
    screen.data(&text)
}
