//! Every reachable state of small plans, in a world where anything that can go wrong does.
//!
//! ```text
//!  search:  breadth first over (engine state, world state), all moves from each, until nothing is new
//!  world:   delegates that look up, record, write and report; AWS as "there or not"; messages that come late or twice;
//!           leases that end; a control plane that dies between any two events
//!  checks:  the engine's invariants, never two writers, endings that are true, and no state from which no end can be reached
//! ```
//!
//! The number of faults in one run is bounded; their order and place are not. Then rules are broken on purpose, one at a time,
//! and each has to be found.

mod checks;
mod fingerprint;
mod moves;
mod search;
mod tests;
mod world;
