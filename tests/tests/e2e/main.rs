//! End to end: real processes, real sockets, the CLI as a person uses it.
//!
//! One binary on purpose: what it links is most of the project.

mod access;
mod at_once;
mod bake;
mod discovery;
mod dns;
mod golden;
mod in_a_row;
mod interrupts;
mod kills;
mod matrix;
mod refusals;
mod rollback;
mod scaling;
mod shift;
mod undo;
mod verify;
mod versions;
mod watched;
mod ways;
