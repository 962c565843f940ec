//! ECS Blue Green Load Balancer Setup: look at everything before touching anything, then make the new version at 0 behind the stage
//! routes, and remember the old one.

mod checks;
mod look;
mod perform;
mod routes;

pub(super) use perform::SetUpLoadBalancer;
