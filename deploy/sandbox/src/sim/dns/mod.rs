//! The name server: authoritative for every hosted zone, over UDP and TCP. Weighted records are chosen in proportion to their weights,
//! names of Cloud Map services lead to the instances that are registered at that moment.

mod answer;
mod lookup;
mod server;

pub use server::{Sockets, serve};
