//! Delegates.

use std::fmt::Write as _;

use domain::console::visible;
use serde::Serialize;

use super::{
    Look,
    table::table,
    time::{milliseconds, time},
};

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
    /// Applications it is for; empty: all.
    pub applications: Vec<String>,
    /// Environments it is for; empty: all.
    pub environments: Vec<String>,
    /// When it was revoked; 0: it is trusted.
    pub revoked_at_ms: i64,
    /// By whom.
    pub revoked_by: String,
    /// The running process; empty while it is away.
    pub instance_id: String,
    /// The AWS identity that it joined by; empty: it had a join token.
    pub identity: String,
    /// Kinds of steps it can perform; empty while it is away.
    pub step_kinds: Vec<String>,
    /// When two processes were last seen that use its certificate in turn; 0: never.
    pub copied_at_ms: i64,
    /// Which, if so.
    pub copied_instance_ids: Vec<String>,
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
            applications: wire.applications,
            environments: wire.environments,
            revoked_at_ms: wire.revoked_at_ms,
            revoked_by: wire.revoked_by,
            instance_id: wire.instance_id,
            identity: wire.identity,
            step_kinds: wire.step_kinds,
            copied_at_ms: wire.copied_at_ms,
            copied_instance_ids: wire.copied_instance_ids,
        }
    }
}

impl Delegate {
    fn state(&self) -> &'static str {
        match (self.revoked_at_ms, self.connected, self.draining) {
            (1.., ..) => "revoked",
            (_, true, false) => "connected",
            (_, true, true) => "draining",
            (_, false, _) => "away",
        }
    }
}

/// A delegate in a sentence.
pub fn called(name: &str, id: &str) -> String {
    format!("Delegate {} ({})", visible(name), visible(id))
}

/// One delegate, with everything known of it.
pub fn delegate(delegate: &Delegate) -> String {
    let all_or = |names: &[String]| if names.is_empty() { "all".to_owned() } else { names.join(", ") };
    let by = if delegate.identity.is_empty() { "a join token" } else { delegate.identity.as_str() };
    let mut facts = vec![
        ("state", delegate.state().to_owned()),
        ("applications", all_or(&delegate.applications)),
        ("environments", all_or(&delegate.environments)),
        ("joined", format!("{} by {by}", time(delegate.enrolled_at_ms))),
        ("certificate until", time(delegate.certificate_expires_at_ms)),
    ];
    if delegate.revoked_at_ms > 0 {
        facts.push(("revoked", format!("{} by {}", time(delegate.revoked_at_ms), delegate.revoked_by)));
    }
    if delegate.copied_at_ms > 0 {
        let (at, instances) = (time(delegate.copied_at_ms), delegate.copied_instance_ids.join(" and "));
        facts.push(("copied", format!("{at}: {instances} used this certificate in turn; unless both are yours, revoke it")));
    }
    if delegate.connected {
        facts.extend([
            ("selectors", delegate.selectors.join(", ")),
            ("version", delegate.version.clone()),
            ("process", delegate.instance_id.clone()),
            ("last seen", time(delegate.last_seen_ms)),
            ("lease", format!("{} more", milliseconds(u64::try_from(delegate.lease_remaining_ms).unwrap_or(0)))),
            ("steps", delegate.step_kinds.join(", ")),
        ]);
    }
    facts.extend(delegate.tasks.iter().map(|task| ("works on", task.clone())));
    let mut text = called(&delegate.name, &delegate.id) + "\n";
    for (name, value) in facts {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {name:<18} {}", visible(&value));
    }
    text
}

/// Delegates as a table.
pub fn delegates(delegates: &[Delegate], look: Look) -> String {
    if delegates.is_empty() {
        return "No delegate has joined yet.\n\nLet one join: segue delegate token create\n".to_owned();
    }
    let rows = delegates.iter().map(|delegate| {
        let seen = if delegate.last_seen_ms == 0 { "never".to_owned() } else { time(delegate.last_seen_ms) };
        vec![
            delegate.name.clone(),
            delegate.state().to_owned(),
            delegate.tasks.len().to_string(),
            delegate.selectors.join(","),
            delegate.version.clone(),
            seen,
            delegate.id.clone(),
        ]
    });
    table(&["NAME", "STATE", "TASKS", "SELECTORS", "VERSION", "LAST SEEN", "ID"], rows, look.width)
}
