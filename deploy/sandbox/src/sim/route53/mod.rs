//! Route 53: hosted zones, their record sets, and changes that take a while to reach the name servers.

mod api;
mod batch;
mod records;
mod state;
mod zones;

pub use api::{Rest, handle};
pub use state::{Record, Route53, Zone, absolute};
