//! Elastic Load Balancing: its API, and what its listeners, rules and target groups amount to. The wire types are generated from
//! AWS's models by others (`winterbaume`); the behaviour is here.

mod api;
mod attributes;
mod certificates;
mod conditions;
mod flows;
mod form;
mod listeners;
mod load_balancers;
mod rules;
mod state;
mod tags;
mod target_groups;
mod targets;
mod usage;

pub use api::handle;
pub use state::{Elb, Target, TargetGroup, TargetState};
