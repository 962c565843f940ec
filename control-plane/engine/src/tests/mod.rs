//! The engine's tests: tables of inputs and what they lead to.

mod approvals;
mod arbitrary;
mod journal;
mod late_and_repeated;
mod limits;
mod plans;
mod rollback;
mod run;
mod steps;
mod strategies;
