//! What the API works with.

use std::sync::Arc;

use rand::{SeedableRng, rngs::StdRng};
use runtime::{clock::Clock, tasks::Tasks};

use super::catalogue::Catalogue;
use crate::{access::Enrolment, dispatch::Dispatch, logs::LogHub, server::Rotation, store::Store};

/// What the API works with.
pub struct ApiContext {
    /// Deployments and delegates.
    pub dispatch: Arc<Dispatch>,
    /// Documents.
    pub catalogue: Catalogue,
    /// Logs of steps.
    pub logs: Arc<LogHub>,
    /// Join tokens.
    pub enrolment: Arc<Enrolment>,
    /// The authorities, and their exchange.
    pub rotation: Arc<Rotation>,
    /// For its health.
    pub store: Arc<dyn Store>,
    /// Owns the streams.
    pub tasks: Tasks,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Address of the delegates' port, as `https://host:port`.
    pub gateway: String,
}

impl ApiContext {
    /// Fresh randomness from the system's.
    pub fn rng(&self) -> StdRng {
        StdRng::from_os_rng()
    }
}
