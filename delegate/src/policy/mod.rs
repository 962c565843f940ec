//! The delegate's own policy: what it will ever touch, whatever a control plane says. A file on the delegate's machine that only its
//! owner writes; without one there is no further bound than AWS's permissions.
//!
//! It is enforced where calls leave for AWS ([`access`], [`guard`]), not in the steps: a step that was never thought of here is bound
//! by it all the same.

mod access;
mod document;
mod guard;
mod patterns;
mod resource;
mod rules;

pub use access::PolicyAccess;
pub use document::PolicyError;
pub use rules::Policy;
