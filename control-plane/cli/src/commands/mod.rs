//! The commands, one file each.

mod apply;
mod completion;
mod context;
mod delegate;
mod deploy;
mod deployment;
mod discover;
mod dispatch;
mod follow;
mod get;
mod goal;
mod rollback;
mod server;
mod version;

pub use dispatch::run;
