//! Resources as documents: what a person writes in YAML, read with every finding at its place.
//!
//! ```text
//!  text of a file --split--> sources --tree--> nodes with places --documents, steps--> Manifest
//!                               |                 |                        |
//!                               '--- syntax ------+--- fields, types ------+--> Diagnostics, all at once
//! ```
//!
//! A document is read into a tree that knows where everything stands; the readers of each kind walk the tree and note what is
//! wrong instead of stopping. Texts that may hold expressions stay texts ([`Template`]) until a deployment is planned.

mod diagnostic;
mod documents;
mod ecs;
mod ecs_checks;
mod fields;
mod kind;
mod naming;
mod parse;
mod source;
mod steps;
mod strategies;
mod template;
mod tree;
mod written;

#[cfg(test)]
mod tests;

pub use diagnostic::Diagnostic;
pub use documents::{
    Application, AssumeRoleDocument, Environment, EnvironmentType, Infrastructure, Phase, Service, Variable, Variables, Workflow,
};
pub use ecs::EcsDocument;
pub use kind::{Kind, ResourceKey};
pub use naming::check_name;
pub use parse::{Body, Manifest, Parsed, parse, parse_one};
pub use source::{Located, Place, Position, Source};
pub use steps::{
    ActionDocument, AlarmName, AlarmsDocument, ApprovalDocument, AutoScalingDocument, BakeDocument, BoundDocument, DataChoice,
    Decimal, DesiredCountDocument, DnsSetupDocument, HttpCheckDocument, HttpTargetDocument, NotifyDocument, PairDocument,
    PrometheusDocument, RegistryDocument, RetryDocument, ScriptDocument, SetupDocument, ShiftDocument, ShiftTrafficDocument,
    StepDocument, SwapDocument, UpgradeDocument, VersionDocument, WeightsDocument,
};
pub use template::{Template, Written, Wrong};
pub use written::{
    Duration, FreeText, HttpStatus, Image, Instances, Listener, Minutes, PortNumber, Region, RoleArn, Url, UrlPath, Whole, Words,
    YesNo, tag_problem,
};
