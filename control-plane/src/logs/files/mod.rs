//! Logs in files: a folder for each deployment, in it segments that are only appended to.
//!
//! ```text
//! <logs>/dep_.../00000000000000000001.log     frames: a frame is some lines of one attempt, with a checksum
//! <logs>/dep_.../00000000000000041213.log     the name is the number of the first entry
//! ```
//!
//! One thread writes, for all deployments: it takes everything that waits, writes it, syncs each file once, then answers. Names come
//! from ids alone.

mod books;
mod extents;
mod frame;
mod reader;
mod segment;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use self::store::LogFiles;
