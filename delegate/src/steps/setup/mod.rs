//! ECS Blue Green Load Balancer Setup: look at everything before touching anything, then register, clear away what the line no
//! longer needs, create the new service at 0, and remember the old one.

mod checks;
mod container;
mod look;
mod perform;
mod service_definition;
mod task_definition;
mod undo;

pub(super) use perform::SetUpLoadBalancer;
