//! What Cloud Map remembers: namespaces, their services, and instances that were registered by hand.

use std::collections::BTreeMap;

/// Everything, by account and region.
#[derive(Debug, Default)]
pub struct CloudMaps {
    regions: BTreeMap<(String, String), CloudMap>,
}

/// One account and region.
#[derive(Debug, Clone, Default)]
pub struct CloudMap {
    /// By id.
    pub namespaces: BTreeMap<String, Namespace>,
    /// By id.
    pub services: BTreeMap<String, Registry>,
    /// Operations by id: what they made. Here all of them are over at once.
    pub operations: BTreeMap<String, Operation>,
}

/// A namespace.
#[derive(Debug, Clone)]
pub struct Namespace {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// `DNS_PUBLIC`, `DNS_PRIVATE` or `HTTP`.
    pub kind: &'static str,
    /// Id of the hosted zone that was made for it; none for `HTTP`.
    pub zone: Option<String>,
    /// When it was created, seconds since 1970.
    pub created_at: f64,
}

/// A service.
#[derive(Debug, Clone)]
pub struct Registry {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Id of its namespace.
    pub namespace: String,
    /// Types and TTLs in seconds of its records; empty without DNS.
    pub records: Vec<(String, u64)>,
    /// `MULTIVALUE` or `WEIGHTED`.
    pub routing: String,
    /// When it was created, seconds since 1970.
    pub created_at: f64,
    /// Instances that were registered by hand: id and attributes.
    pub instances: BTreeMap<String, BTreeMap<String, String>>,
}

/// An operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `CREATE_NAMESPACE` ...
    pub kind: &'static str,
    /// `NAMESPACE` or `INSTANCE`, and its id.
    pub target: (&'static str, String),
    /// When it began, seconds since 1970.
    pub at: f64,
}

impl CloudMaps {
    /// One account and region.
    pub fn of(&mut self, account: &str, region: &str) -> &mut CloudMap {
        self.regions.entry((account.to_owned(), region.to_owned())).or_default()
    }

    /// Whether there is a service of that ARN.
    pub fn knows(&self, account: &str, region: &str, arn: &str) -> bool {
        let here = self.regions.get(&(account.to_owned(), region.to_owned()));
        here.is_some_and(|here| here.services.values().any(|service| service.arn == arn))
    }

    /// Every account and region.
    pub fn all(&self) -> impl Iterator<Item = (&(String, String), &CloudMap)> {
        self.regions.iter()
    }
}
