//! Delegates.

use serde::Serialize;

use super::{Look, table::table, time::time};

/// A delegate, as it is printed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delegate {
    /// `dlg_...`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it has a session.
    pub connected: bool,
    /// Whether it takes no new tasks.
    pub draining: bool,
    /// Version of its program.
    pub version: String,
    /// What it calls itself.
    pub selectors: Vec<String>,
    /// Tasks it holds.
    pub tasks: Vec<String>,
    /// When it joined, milliseconds since 1970.
    pub enrolled_at_ms: i64,
    /// When it was last heard of; 0: never.
    pub last_seen_ms: i64,
    /// How much longer its lease runs.
    pub lease_remaining_ms: i64,
    /// When its certificate ends.
    pub certificate_expires_at_ms: i64,
}

impl From<proto::api::Delegate> for Delegate {
    fn from(wire: proto::api::Delegate) -> Self {
        Self {
            id: wire.id,
            name: wire.name,
            connected: wire.connected,
            draining: wire.draining,
            version: wire.version,
            selectors: wire.selectors,
            tasks: wire.tasks,
            enrolled_at_ms: wire.enrolled_at_ms,
            last_seen_ms: wire.last_seen_ms,
            lease_remaining_ms: wire.lease_remaining_ms,
            certificate_expires_at_ms: wire.certificate_expires_at_ms,
        }
    }
}

/// Delegates as a table.
pub fn delegates(delegates: &[Delegate], look: Look) -> String {
    if delegates.is_empty() {
        return "No delegate has joined yet.\n\nLet one join: segue delegate token create\n".to_owned();
    }
    let rows = delegates.iter().map(|delegate| {
        let state = match (delegate.connected, delegate.draining) {
            (true, false) => "connected",
            (true, true) => "draining",
            (false, _) => "away",
        };
        let seen = if delegate.last_seen_ms == 0 { "never".to_owned() } else { time(delegate.last_seen_ms) };
        vec![
            delegate.name.clone(),
            state.to_owned(),
            delegate.tasks.len().to_string(),
            delegate.selectors.join(","),
            delegate.version.clone(),
            seen,
            delegate.id.clone(),
        ]
    });
    table(&["NAME", "STATE", "TASKS", "SELECTORS", "VERSION", "LAST SEEN", "ID"], rows, look.width)
}
