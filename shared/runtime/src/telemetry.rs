//! What a server says about itself while it runs: to stderr, filtered by `SEGUE_LOG`, as text or as JSON lines.

use std::io::IsTerminal;

use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// The environment variable with the filter, as `info`, `debug` or `info,control_plane::dispatch=trace`.
pub const FILTER_VARIABLE: &str = "SEGUE_LOG";

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For a person.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter in the environment is none.
    #[error("{FILTER_VARIABLE} is not a filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else collects already.
    #[error("telemetry was set up twice")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Begins to write to stderr. `default_filter` holds where the environment says nothing.
///
/// # Errors
/// When the filter in the environment is none, or telemetry was set up before.
pub fn init(format: Format, default_filter: &str) -> Result<(), TelemetryError> {
    let wanted = std::env::var(FILTER_VARIABLE);
    // By target and level alone: filtering by fields would bring an engine for regular expressions into every program.
    let filter: Targets = wanted.as_deref().unwrap_or(default_filter).parse()?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        Format::Text => registry.with(lines.with_ansi(std::io::stderr().is_terminal())).try_init()?,
        Format::Json => registry.with(lines.json()).try_init()?,
    }
    Ok(())
}
