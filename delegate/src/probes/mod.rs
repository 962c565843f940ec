//! Questions that the delegate asks the application itself, from inside the VPC.

mod http;
mod prometheus;

pub use http::{HttpProbe, ProbeAnswer, ProbeError, Question};
pub use prometheus::{NoSamples, Sample, samples};
