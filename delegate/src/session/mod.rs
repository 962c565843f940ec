//! The one stream that a delegate keeps open: connecting for ever ([`keep`]), one session from hello to its end ([`stream`]),
//! heartbeats on time ([`heartbeat`]), and the messages in the domain's words ([`message`]).

pub mod connector;
pub mod heartbeat;
pub mod keep;
pub mod message;
pub mod stream;
pub mod uplink;

pub use connector::{Connector, describe};
pub use keep::{Connect, SessionParts, keep};
pub use message::Told;
pub use uplink::Uplink;
