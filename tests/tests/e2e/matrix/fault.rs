//! The columns: what befalls one call.

use sandbox::world::World;
use serde_json::{Value, json};

/// How long a call is held while a process is killed, in milliseconds: longer than the kill takes, shorter than AWS's client waits.
const HELD_MS: u64 = 2_500;

/// Who is killed with SIGKILL while a call is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Victim {
    Delegate,
    ControlPlane,
    Both,
}

/// What befalls one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Before the call takes effect.
    KillBefore(Victim),
    /// After it took effect, before its answer came.
    KillAfter(Victim),
    Throttle,
    ServerError,
    Reset,
    /// It takes effect, and the connection ends without an answer.
    Lost,
    /// It takes effect, and the answer comes too late.
    TimedOut,
    Slow,
    /// A read shows what stood before the last write.
    Stale,
}

impl Fault {
    pub(super) const ALL: [Self; 13] = [
        Self::KillBefore(Victim::Delegate),
        Self::KillAfter(Victim::Delegate),
        Self::KillBefore(Victim::ControlPlane),
        Self::KillAfter(Victim::ControlPlane),
        Self::KillBefore(Victim::Both),
        Self::KillAfter(Victim::Both),
        Self::Throttle,
        Self::ServerError,
        Self::Reset,
        Self::Lost,
        Self::TimedOut,
        Self::Slow,
        Self::Stale,
    ];

    /// The column's title.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::KillBefore(Victim::Delegate) => "kill D <",
            Self::KillAfter(Victim::Delegate) => "kill D >",
            Self::KillBefore(Victim::ControlPlane) => "kill C <",
            Self::KillAfter(Victim::ControlPlane) => "kill C >",
            Self::KillBefore(Victim::Both) => "both <",
            Self::KillAfter(Victim::Both) => "both >",
            Self::Throttle => "throttle",
            Self::ServerError => "500",
            Self::Reset => "reset",
            Self::Lost => "lost",
            Self::TimedOut => "timeout",
            Self::Slow => "slow",
            Self::Stale => "stale",
        }
    }

    /// Whether it can befall a call that changes something, or one that does not.
    pub(super) fn befalls(self, is_write: bool) -> bool {
        self != Self::Stale || !is_write
    }

    /// The sandbox's rule for it.
    pub(super) fn rule(self) -> Value {
        match self {
            Self::KillBefore(_) => json!({"kind": "slow", "delayMs": HELD_MS}),
            Self::KillAfter(_) => json!({"kind": "silent", "delayMs": HELD_MS}),
            Self::Throttle => json!({"kind": "throttle"}),
            Self::ServerError => json!({"kind": "fail", "status": 500}),
            Self::Reset => json!({"kind": "reset"}),
            Self::Lost => json!({"kind": "lost"}),
            Self::TimedOut => json!({"kind": "silent", "delayMs": 12_000}),
            Self::Slow => json!({"kind": "slow", "delayMs": 1_500}),
            Self::Stale => json!({"kind": "stale"}),
        }
    }

    /// Who is killed while the call is held.
    pub(super) fn victim(self) -> Option<Victim> {
        match self {
            Self::KillBefore(victim) | Self::KillAfter(victim) => Some(victim),
            _ => None,
        }
    }
}

impl Victim {
    /// Kills, and starts again.
    pub(super) async fn kill(self, world: &mut World) -> anyhow::Result<()> {
        if matches!(self, Self::Delegate | Self::Both) {
            world.delegates[0].process.kill().await?;
        }
        if matches!(self, Self::ControlPlane | Self::Both) {
            world.kill_server().await?;
            world.restart_server().await?;
        }
        if matches!(self, Self::Delegate | Self::Both) {
            world.restart_delegate(0)?;
        }
        Ok(())
    }
}
