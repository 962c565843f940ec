//! What each kind of document says.

mod application;
mod environment;
mod infrastructure;
mod service;
mod variables;
mod workflow;

pub use application::Application;
pub use environment::{Environment, EnvironmentType};
pub use infrastructure::{AssumeRoleDocument, Infrastructure};
pub use service::Service;
pub use variables::Variables;
pub use workflow::{Phase, Variable, Workflow};
