//! House rules as tests: each says what it wants and why, and names every place that breaks it.
//!
//! What the compiler, a lint or `deny.toml` can hold is held there as well; here is the rest, and what must hold on a machine that
//! has cargo and nothing else.

#[path = "tidy/findings.rs"]
mod findings;
#[path = "tidy/manifests.rs"]
mod manifests;
#[path = "tidy/packages.rs"]
mod packages;
#[path = "tidy/sources.rs"]
mod sources;
#[path = "tidy/tree.rs"]
mod tree;
