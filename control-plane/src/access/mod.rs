//! Who may do what: tokens of people and programs, one-time tokens and AWS identities with which delegates join, and the certificates they get.

mod authorities;
mod aws_identity;
mod enrolment;
mod secret;
mod tokens;

pub use authorities::{Authorities, AuthoritiesError, Phase, Trust};
pub use aws_identity::{AwsIdentities, Claim, IdentityRefused, RulesError};
pub use enrolment::{EnrolError, Enrolled, Enrolment, JoinToken};
pub use secret::{InvalidToken, SecretHash, Token, TokenKind};
pub use tokens::{AccessError, Caller, NewToken, Tokens};
