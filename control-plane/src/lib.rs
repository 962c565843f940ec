//! The control plane: it remembers and delivers. It holds no AWS credentials and never dials into a customer's network.
//!
//! Start at [`server`], which ties the rooms together; then follow a deployment: [`api`] takes it in, [`workflow`] turns documents
//! into a plan, [`dispatch`] drives the engine and hands tasks to delegates, [`store`] and [`logs`] remember.

pub mod access;
pub mod api;
pub mod dispatch;
pub mod logs;
pub mod server;
pub mod store;
pub mod workflow;
