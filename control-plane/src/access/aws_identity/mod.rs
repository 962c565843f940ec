//! Joining by AWS identity, without any secret: a delegate signs a request to `sts:GetCallerIdentity` and does not send it; the
//! control plane sends it, AWS answers whose the signature is, and the rules say whether that identity may join, and for what.
//!
//! The control plane holds no credentials for this and learns none.

mod claim;
mod rules;
mod sts;
mod verify;

pub use claim::Claim;
pub use rules::RulesError;
pub use verify::{AwsIdentities, IdentityRefused};
