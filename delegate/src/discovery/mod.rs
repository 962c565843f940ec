//! Answers to what a person asks about a VPC: the delegate looks, with the credentials that it would deploy with.

mod answer;
mod load_balancers;

pub use answer::{QUESTIONS, answer};
