//! The container service: its API, and the scheduler that makes desired counts come true.

mod api;
mod breaker;
mod clusters;
mod deployments;
mod events;
mod fargate;
mod life;
mod render;
mod render_task;
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
