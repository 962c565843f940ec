//! The delegate: sits in the customer's VPC, holds one outbound stream to the control plane, and is the only part of Segue that
//! calls AWS.

pub mod aws;
pub mod discovery;
pub mod executor;
pub mod probes;
pub mod steps;
