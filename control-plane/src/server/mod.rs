//! The server: certificates, ports, and the order in which the rooms are opened and closed.

mod context_file;
mod pki;
mod ports;
mod running;
mod settings;
mod start;
#[cfg(test)]
mod tests;

pub use pki::PkiError;
pub use ports::serve_delegates;
pub use running::{Running, Stopped};
pub use settings::Settings;
pub use start::{StartError, start};
