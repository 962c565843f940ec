//! CloudWatch: the metrics of load balancers and services, what callers put there, and alarms on them. It is spoken to in each of its
//! three protocols: RPC v2 CBOR (the Rust SDK), JSON 1.0 (boto3 and the AWS CLI) and the query protocol (older ones).

mod alarm;
mod alarms;
mod api;
mod cbor;
mod data;
mod put;
mod query;
mod read;
mod series;
mod state;
mod tags;
mod vended;
mod wire;

pub use alarm::{Alarm, AlarmState, Comparison, Missing};
pub use api::{handle, handle_form};
pub use series::{Metric, Numbers};
pub use state::{CloudWatch, tick};
pub use wire::{Wire, error_shape, read_cbor, write_cbor};
