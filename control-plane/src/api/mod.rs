//! What people and programs call: one file for each service, each handler converts, calls, converts back. [`status`] is the one
//! place where errors become gRPC statuses.

mod bearer;
mod catalogue;
mod context;
mod delegates;
mod deployments;
mod discovery;
mod info;
mod resources;
mod rollback;
pub mod status;
mod streams;

pub use bearer::Bearer;
pub use catalogue::{AppliedDocument, Catalogue, CatalogueError, KeptDocument};
pub use context::ApiContext;
pub use delegates::DelegatesService;
pub use deployments::DeploymentsService;
pub use discovery::DiscoveryService;
pub use info::ServerService;
pub use resources::ResourcesService;
