//! Upgrade Containers: bring the new service to its size, and go on only when ECS calls it steady and the load balancer calls every
//! one of its targets healthy.

mod difference;
mod dossier;
mod failing;
mod perform;
mod reasons;
mod sick;
mod undo;

pub(super) use perform::Upgrade;
