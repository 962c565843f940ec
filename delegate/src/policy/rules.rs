//! The rules of a policy, and what breaks one.

use domain::failure::{Failure, FailureKind};
use serde::Deserialize;

use super::patterns::Patterns;

/// What the delegate will touch. A part that is left away bounds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// AWS regions.
    pub(super) regions: Option<Patterns>,
    /// Ids of AWS accounts, as STS tells them after the role was assumed.
    pub(super) accounts: Option<Patterns>,
    /// Names of ECS clusters.
    pub(super) clusters: Option<Patterns>,
    /// Names of ECS services, with the revision that Segue gives them (`shop__todolist__prod__7`).
    pub(super) services: Option<Patterns>,
    /// Names of load balancers.
    pub(super) load_balancers: Option<Patterns>,
    /// Ids of Route 53 hosted zones.
    pub(super) hosted_zones: Option<Patterns>,
    /// ARNs or names of IAM roles, to assume and to hand to tasks.
    pub(super) roles: Option<Patterns>,
    /// Whether shell scripts of workflows may be run, if the delegate was started to run them.
    pub(super) scripts: Option<bool>,
    /// The file that it was read from, for messages.
    #[serde(skip)]
    pub(super) file: String,
}

impl Policy {
    /// Whether shell scripts may be run as far as the policy goes.
    pub fn allows_scripts(&self) -> bool {
        self.scripts.unwrap_or(true)
    }

    pub(super) fn region(&self, region: &str) -> Result<(), Failure> {
        self.check("regions", self.regions.as_ref(), "the region", region)
    }

    pub(super) fn account(&self, account: &str) -> Result<(), Failure> {
        self.check("accounts", self.accounts.as_ref(), "the account", account)
    }

    pub(super) fn names_accounts(&self) -> bool {
        self.accounts.is_some()
    }

    pub(super) fn names_load_balancers(&self) -> bool {
        self.load_balancers.is_some()
    }

    pub(super) fn names_services(&self) -> bool {
        self.clusters.is_some() || self.services.is_some()
    }

    /// By name or ARN.
    pub(super) fn cluster(&self, cluster: &str) -> Result<(), Failure> {
        self.check("clusters", self.clusters.as_ref(), "the cluster", last(cluster))
    }

    /// By name or ARN.
    pub(super) fn service(&self, service: &str) -> Result<(), Failure> {
        self.check("services", self.services.as_ref(), "the service", last(service))
    }

    pub(super) fn load_balancer(&self, name: &str) -> Result<(), Failure> {
        self.check("loadBalancers", self.load_balancers.as_ref(), "the load balancer", name)
    }

    pub(super) fn hosted_zone(&self, id: &str) -> Result<(), Failure> {
        self.check("hostedZones", self.hosted_zones.as_ref(), "the hosted zone", last(id))
    }

    /// By ARN or name: a pattern may be either.
    pub(super) fn role(&self, role: &str) -> Result<(), Failure> {
        match &self.roles {
            Some(roles) if roles.allow(role) || roles.allow(last(role)) => Ok(()),
            roles => self.check("roles", roles.as_ref(), "the role", role),
        }
    }

    fn check(&self, part: &str, allowed: Option<&Patterns>, what: &str, name: &str) -> Result<(), Failure> {
        match allowed {
            Some(patterns) if !patterns.allow(name) => {
                let message = format!("This delegate's own policy does not allow {what} {name}.");
                let hint = format!(
                    "The policy is {} on the delegate's machine; {part}: {}. Change it there, or let another delegate do this.",
                    self.file,
                    patterns.told()
                );
                Err(Failure::refused(FailureKind::Policy, message).hint(hint))
            }
            _ => Ok(()),
        }
    }
}

/// The last part of an ARN or of a path; a name is itself.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
