//! The sandbox: a simulated AWS on one machine, and worlds built around it.

pub mod demo;
pub mod faults;
pub mod sim;
pub mod up;
pub mod world;
