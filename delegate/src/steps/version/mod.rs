//! A new version of a line: its task definition and its service, which every setup makes in the same way, whatever leads the
//! traffic to it.

mod container;
mod documents;
mod line;
mod make;
mod service_definition;
mod task_definition;
mod undo;

pub(super) use container::{choose, named_container};
pub(super) use documents::check as check_documents;
pub(super) use line::{Line, Serving, line};
pub(super) use make::{Maker, desired, recorded_production, told_before};
pub(super) use service_definition::Entrance;
pub(super) use task_definition::network_mode;
pub(super) use undo::undo;
