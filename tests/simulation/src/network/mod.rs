//! The simulated network: connections over lanes that delay, can be cut one way or both ways, and keep what is sent meanwhile as
//! TCP does, until one end gives up.

mod lane;
mod net;
mod pipe;
mod stream;

pub use lane::Lane;
pub use net::{Net, Path};
pub use stream::SimStream;
