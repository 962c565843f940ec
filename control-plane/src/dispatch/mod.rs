//! Dispatch: drives every open deployment through the engine, and hands its tasks to delegates.
//!
//! Start at [`Dispatch`]; then the driver (one for each open deployment), the turn (what it decides), the conversation (one for
//! each connected delegate).

mod access;
mod choice;
mod conversation;
mod copies;
mod dispatcher;
mod driver;
mod eligibility;
mod error;
mod gateway;
mod history;
mod introduction;
mod lease;
mod message;
mod observer;
mod promises;
mod queries;
mod queue;
mod quota;
mod records;
mod reopening;
mod roster;
mod sessions;
mod shipping;
mod turn;

pub use choice::{Explanation, Verdict};
pub use dispatcher::Dispatch;
pub use eligibility::Need;
pub use error::DispatchError;
pub use gateway::Gateway;
pub use history::{NoRollback, ToRollBack};
pub use lease::{HandOver, LeaseTerms, Leases};
pub use queries::{Queries, QueryError};
pub use records::{AcceptKey, RecordError, Records};
pub use roster::{EnrolledDelegate, NotOne, Revocation, Roster};
pub use sessions::{Session, Sessions};
