//! The CLI: it asks, and shows what it is told. Everything that is decided is decided in the control plane.

pub mod args;
pub mod client;
mod commands;
pub mod context;
pub mod error;
pub mod exit;
mod program;
pub mod render;

pub use program::main_with;
