//! TLS with Segue's own authority: making and reading certificates, accepting connections, reaching a server.

mod acceptor;
mod authority;
mod binding;
mod client;
mod identity;
mod provider;
mod proxy;
mod server;

pub use acceptor::{AcceptLimits, Accepting, Connection, Peer, accept};
pub use authority::{Authority, AuthorityError, IssuedCertificate, ServerIdentity, new_key, request};
pub use binding::{BINDING_HEADER, binding};
pub use client::{ClientError, ClientIdentity, endpoint};
pub use identity::{ClientCertificate, IdentityError, serial, validity_ends_ms};
pub use provider::install_provider;
pub use proxy::connect;
pub use server::{LiveServerConfig, ServerTlsError, server_config};
