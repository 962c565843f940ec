//! Application Auto Scaling, of services' desired counts: targets, policies, and the scaling that they bring about.

mod activities;
mod api;
mod policies;
mod scaling;
mod state;
mod steps;
mod tags;
mod targets;
mod tracking;

pub use api::handle;
pub use scaling::tick;
pub use state::Autoscaling;
