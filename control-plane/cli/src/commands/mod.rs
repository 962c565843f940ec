//! The commands, one file each.

mod apply;
mod authority;
mod completion;
mod confirm;
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
mod token;
mod version;

pub use dispatch::run;
