//! The data plane: real sockets that follow the state. Tasks listen, load balancers forward, health checks ask.

mod authority;
mod choice;
mod container;
mod forward;
mod health;
mod listeners;
mod pace;
mod routes;
mod splice;
mod stickiness;
mod tasks;
mod traffic;
mod unverified;

pub use authority::{Authority, CertificateError};
pub use pace::run;
pub use traffic::{Tallies, Tally, Traffic};
