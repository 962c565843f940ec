//! AWS in the delegate's words: what the steps ask for ([`ports`]), what they get ([`model`]), and the one place that knows the
//! SDK ([`sdk`]). Steps see ports and model only, so they run against the simulator, another emulator or a fake unchanged.

pub mod actions;
pub mod alarms;
pub mod budget;
pub mod metrics;
pub mod model;
pub mod ports;
pub mod requests;
pub mod sdk;
pub mod throttling;
