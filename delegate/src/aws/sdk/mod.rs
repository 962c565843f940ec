//! The ports over the official SDK. Nothing outside this folder names a type of the SDK.

mod actions;
mod auto_scaling;
mod body;
mod cloud_map;
mod cloudwatch;
#[cfg(test)]
mod cloudwatch_tests;
mod connect;
mod ecs;
mod ecs_convert;
mod elbv2;
mod failure;
mod limits;
mod logs;
mod metrics;
mod request_ids;
mod route53;
mod sts;
#[cfg(test)]
mod tests;
mod trust;
mod whole_answer;

pub use connect::SdkAccess;
pub use limits::CallLimits;
pub use trust::{TrustError, trusting};
