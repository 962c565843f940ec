//! The steps one after another against a small AWS in memory: their console word by word, their resumption after a failure at any
//! call, and their undo.

mod alarms;
mod bake;
mod dns;
mod drain;
mod fake_alarms;
mod fake_aws;
mod fake_dns;
mod fake_metrics;
mod fake_scaling;
mod golden;
mod notify;
mod peer;
mod policy;
mod prometheus;
mod promises;
mod refusals;
mod resume;
mod rig;
mod routes;
mod scaling;
mod script;
mod undo;
