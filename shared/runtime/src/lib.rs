//! What both servers need to run, and know nothing of each other for: named tasks and their end, signals, telemetry, clocks,
//! questions over HTTP, TLS with Segue's own authority, waits between attempts, and files that hold secrets.

pub mod backoff;
pub mod chance;
pub mod clock;
pub mod files;
pub mod gate;
pub mod http;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;
pub mod tls;
