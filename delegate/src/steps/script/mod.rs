//! Shell Script: bash, where the delegate runs, if the delegate was started to allow it.

mod facts;
mod group;
mod output;
mod perform;

pub(super) use perform::RunScript;
