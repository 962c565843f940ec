//! End to end: real processes, real sockets, the CLI as a person uses it.
//!
//! One binary on purpose: what it links is most of the project.

mod access;
mod at_once;
mod authority;
mod bake;
mod delegates;
mod discovery;
mod dns;
mod golden;
mod handover;
mod in_a_row;
mod interrupts;
mod joining;
mod kills;
mod matrix;
mod networks;
mod pauses;
mod policy;
mod proxy;
mod refusals;
mod rollback;
mod rolling;
mod scaling;
mod shift;
mod undo;
mod verify;
mod versions;
mod watched;
mod ways;
