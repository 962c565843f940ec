//! Questions that the delegate asks the application itself, from inside the VPC.

mod http;

pub use http::{HttpProbe, ProbeAnswer, ProbeError};
