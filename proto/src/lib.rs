//! The wire: what `segue/**/*.proto` say, generated, and [`convert`] between it and the domain.
//!
//! The direction is on purpose: this crate knows the domain, the domain never learns that gRPC exists. A message is validated
//! once, here, into domain types; nothing further in handles generated types.

pub mod convert;

/// Generated from `segue/delegate/v1/gateway.proto`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod delegate {
    tonic::include_proto!("segue.delegate.v1");
}

/// Generated from `segue/api/v1/api.proto`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod api {
    tonic::include_proto!("segue.api.v1");
}

/// The descriptors of all of it, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The version of the delegate's protocol that this build speaks.
pub const PROTOCOL: u32 = 1;
