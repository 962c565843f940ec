//! The container service: its API, and the scheduler that makes desired counts come true.

mod api;
mod awslogs;
mod breaker;
mod clusters;
mod conduct;
mod deployments;
mod ending;
mod events;
mod fargate;
mod life;
mod obstacle;
mod placement;
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
pub use conduct::{Conduct, Health, version};
pub use scheduler::tick;
pub use state::{Ecs, Phase, ServiceStatus, Task};
