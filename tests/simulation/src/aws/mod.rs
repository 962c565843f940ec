//! A small AWS behind the delegate's ports: ECS services whose tasks take their time, target groups that follow them, two listeners
//! a line; with weather (throttling, lost requests and answers, slowness, old answers), and a book of who wrote what.

mod account;
mod book;
mod call;
mod cloud;
mod ecs;
mod failures;
mod load_balancing;
mod rest;
mod services;
mod truth;
mod weather;

pub use account::{Account, Quality, group, line_name, service_arn};
pub use book::{Book, Writer};
pub(crate) use call::WRITE;
pub use call::{DelegatesAws, TASK};
pub use cloud::{Ambush, Cloud};
pub use truth::{Standing, ended_well, revisions};
pub use weather::Weather;
