//! Data for programs: JSON and YAML of the same values.

use domain::error::{Error, ErrorCode};
use serde::Serialize;

use crate::args::Output;

/// Prints a value to standard output: as JSON or YAML, or with `table` for people.
///
/// # Errors
/// When the value has no such form.
pub fn print<T: Serialize>(output: Output, value: &T, table: impl FnOnce() -> String) -> Result<(), Error> {
    let impossible = |error: String| Error::new(ErrorCode::Internal, format!("the answer can't be printed: {error}"));
    match output {
        Output::Table => anstream::print!("{}", table()),
        Output::Json => println!("{}", serde_json::to_string(value).map_err(|error| impossible(error.to_string()))?),
        Output::Yaml => print!("{}", serde_saphyr::to_string(value).map_err(|error| impossible(error.to_string()))?),
    }
    Ok(())
}
