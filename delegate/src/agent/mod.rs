//! What this delegate holds and what it does about it: [`core`] decides (pure), [`driver`] does what it decided, [`hooks`] tie a
//! running step to both.
//!
//! ```text
//! session --Event--> driver --Input--> core --Action--> driver --> uplink, tasks, log
//! steps   --Event-->/
//! ```

pub mod core;
pub mod driver;
pub mod event;
pub mod fitting;
pub mod hooks;
pub mod work;

pub use driver::{Driver, DriverParts};
pub use event::{Event, Holding};
pub use work::Work;
