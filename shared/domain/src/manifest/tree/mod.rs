//! A YAML document as a tree that knows where everything stands.

mod node;
mod problem;
mod read;
mod untyped;

pub(super) use node::{Content, Entry, Node, Scalar};
pub(super) use read::read;
