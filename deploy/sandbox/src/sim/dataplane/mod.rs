//! The data plane: real sockets that follow the state. Tasks listen, load balancers forward, health checks ask.

mod authority;
mod container;
mod forward;
mod health;
mod listeners;
mod pace;
mod routes;
mod tasks;
mod traffic;

pub use authority::{Authority, CertificateError};
pub use pace::run;
pub use traffic::Traffic;
