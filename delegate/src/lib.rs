//! The delegate: sits in the customer's VPC, holds one outbound stream to the control plane, and is the only part of Segue that
//! calls AWS.

pub mod agent;
pub mod aws;
pub mod discovery;
pub mod enrol;
pub mod executor;
pub mod lease;
pub mod logs;
pub mod policy;
pub mod probes;
pub mod process;
pub mod program;
pub mod session;
pub mod settings;
pub mod steps;

pub use program::main_with;

#[cfg(test)]
mod network_tests;
