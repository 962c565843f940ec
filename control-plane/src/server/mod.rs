//! The server: certificates, ports, and the order in which the rooms are opened and closed.

mod context_file;
mod pki;
mod ports;
mod rotation;
mod running;
mod settings;
mod start;
#[cfg(test)]
mod tests;

pub use pki::PkiError;
pub use ports::serve_delegates;
pub use rotation::{Rotation, RotationError};
pub use running::{Running, Stopped};
pub use settings::Settings;
pub use start::{StartError, start};
