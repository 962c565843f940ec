//! Mistakes made on purpose, by what the simulation puts around the real parts. Each must be found.

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Planted {
    /// None.
    #[default]
    Nothing,
    /// A delegate begins a write that its lease does not outlast, and the control plane waits for nothing after a lease's end.
    LeaseWithoutMargin,
    /// The store says that something is durable before it is.
    ReportBeforeFlush,
    /// A checkpoint is taken for recorded and goes nowhere.
    CheckpointLost,
    /// What may have been done already is done again without a look.
    NoLookUp,
    /// Leases go by the time of day.
    ClockTrusted,
    /// A delegate writes without asking its lease.
    FenceSkipped,
    /// Every service is created with the same client token.
    TokenReused,
    /// A delegate that is asked to leave just ends.
    DrainForgotten,
}

impl Planted {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::LeaseWithoutMargin,
        Self::ReportBeforeFlush,
        Self::CheckpointLost,
        Self::NoLookUp,
        Self::ClockTrusted,
        Self::FenceSkipped,
        Self::TokenReused,
        Self::DrainForgotten,
    ];
}
