//! The container service: its API, and the scheduler that makes desired counts come true.

mod api;
mod clusters;
mod deployments;
mod events;
mod render;
mod scheduler;
mod services;
mod state;
mod tags;
mod task_definitions;
mod tasks;
mod validate;

pub use api::handle;
pub use scheduler::tick;
pub use state::{Ecs, Phase, ServiceStatus, Task};
