//! Answering inputs with events, one file for each kind of input.

mod answer;
mod checkpoint;
mod claim;
mod create;
mod draft;
mod report;
mod signal;
mod task;
mod timer;

pub use answer::decide;
pub use create::create;
