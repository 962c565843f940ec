//! How a delegate comes by its identity and keeps it: a key made here, a certificate that the control plane signs ([`join`]), kept
//! in the state directory ([`state`]) and renewed before it ends ([`renewal`]).

mod aws_identity;
pub mod identity;
pub mod join;
pub mod renewal;
pub mod state;

pub use identity::Identity;
pub use state::StateDir;
