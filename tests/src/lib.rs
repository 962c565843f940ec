//! What the end-to-end tests share: finding the programs, starting worlds, and reading what happened.

pub mod at_once;
pub mod deployments;
pub mod documents;
pub mod more_aws;
pub mod network;
pub mod own_keys;
pub mod processes;
pub mod programs;
pub mod standing;
