//! Questions that the delegate asks the application itself, from inside the VPC.

mod prometheus;

pub use prometheus::{NoSamples, Sample, samples};
