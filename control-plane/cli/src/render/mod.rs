//! How things look: text out of data, nothing asked and nothing decided. Whatever came from outside is made visible before it
//! reaches a terminal.

mod authority;
mod data;
mod delegates;
mod deployment;
mod diagnostics;
mod discovery;
mod dossier;
mod ending;
mod explained;
mod failure;
#[cfg(test)]
pub(crate) mod fixture;
mod live;
mod plain;
mod progress;
mod rollback;
mod screen;
#[cfg(test)]
mod snapshots;
mod story;
mod table;
mod time;

pub use authority::{Authorities, authorities};
pub use data::print;
pub use delegates::{Delegate, called, delegate, delegates};
pub use deployment::{deployments, show, status_word};
pub use diagnostics::diagnostics;
pub use discovery::load_balancers;
pub use ending::{Ending, ending};
pub use explained::{Explained, explained};
pub use failure::{error, failure};
pub use live::Live;
pub use plain::plain;
pub use progress::Progress;
pub use rollback::rollback_preview;
pub use screen::{Look, Screen};
pub use story::{Line, Part, Said, Story};
pub use table::table;
pub use time::{between, seconds, time};
