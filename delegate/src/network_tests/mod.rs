//! The network half against a control plane of the tests' own making ([`gateway`]), over real TLS on loopback, with steps that do
//! what the test says ([`world`]).

mod draining;
mod gateway;
mod joining;
mod leases;
mod logs;
mod questions;
mod sessions;
mod world;
