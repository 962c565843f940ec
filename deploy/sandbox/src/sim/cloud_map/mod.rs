//! Cloud Map, as far as ECS registers tasks in it and a deployer reads it. What ECS registers is not kept here: it follows from the
//! tasks that run.

mod api;
mod instances;
mod namespaces;
mod services;
mod state;

pub use api::handle;
pub use instances::instances;
pub use state::{CloudMaps, Registry};
