//! Elastic Load Balancing within the budget. Reads wait for their turn here; writes do so before they ask the lease, and pass.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::failure::Failure;
use serde_json::Value;

use super::{
    groups::Operation,
    reads::Reads,
    shared::{Call, SharedCalls},
};
use crate::aws::{
    model::{Listener, LoadBalancer, Rule, Target, TargetGroup},
    ports::LoadBalancing,
};

const READ: Operation = Operation::ReadLoadBalancing;
/// Lists come in pages of so many.
const PAGE: usize = 400;

/// The load balancers.
pub(super) struct PacedLoadBalancing {
    inner: Arc<dyn LoadBalancing>,
    reads: Reads,
    /// Target health, by target group. None: each asks for itself.
    health: Option<SharedCalls<String, Vec<Target>>>,
}

impl PacedLoadBalancing {
    pub(super) fn new(inner: Arc<dyn LoadBalancing>, reads: Reads) -> Self {
        // A call is about one target group, so there is nothing to gather.
        let health = reads.budget.is_limited().then(|| SharedCalls::new(Duration::ZERO, 1));
        Self { inner, reads, health }
    }
}

#[async_trait]
impl LoadBalancing for PacedLoadBalancing {
    async fn load_balancer(&self, name_or_arn: &str) -> Result<Option<LoadBalancer>, Failure> {
        self.reads.send(READ, || self.inner.load_balancer(name_or_arn)).await
    }

    async fn load_balancers(&self) -> Result<Vec<LoadBalancer>, Failure> {
        let found = self.reads.send(READ, || self.inner.load_balancers()).await?;
        self.reads.paged(READ, found.len(), PAGE);
        Ok(found)
    }

    async fn listeners_of(&self, load_balancer: &str) -> Result<Vec<Listener>, Failure> {
        self.reads.send(READ, || self.inner.listeners_of(load_balancer)).await
    }

    async fn listeners(&self, arns: &[String]) -> Result<Vec<Listener>, Failure> {
        self.reads.send(READ, || self.inner.listeners(arns)).await
    }

    async fn rules(&self, listener: &str) -> Result<Vec<Rule>, Failure> {
        let found = self.reads.send(READ, || self.inner.rules(listener)).await?;
        self.reads.paged(READ, found.len(), PAGE);
        Ok(found)
    }

    async fn rules_named(&self, arns: &[String]) -> Result<Vec<Rule>, Failure> {
        self.reads.send(READ, || self.inner.rules_named(arns)).await
    }

    async fn target_groups(&self, arns: &[String]) -> Result<Vec<TargetGroup>, Failure> {
        self.reads.send(READ, || self.inner.target_groups(arns)).await
    }

    async fn target_groups_of(&self, load_balancer: &str) -> Result<Vec<TargetGroup>, Failure> {
        let found = self.reads.send(READ, || self.inner.target_groups_of(load_balancer)).await?;
        self.reads.paged(READ, found.len(), PAGE);
        Ok(found)
    }

    async fn target_health(&self, target_group: &str) -> Result<Vec<Target>, Failure> {
        let Some(shared) = &self.health else {
            return self.reads.send(Operation::ReadTargetHealth, || self.inner.target_health(target_group)).await;
        };
        let (inner, reads, group) = (self.inner.clone(), self.reads.clone(), target_group.to_owned());
        let send = |mut call: Call<String, Vec<Target>>| async move {
            let send = || {
                call.sent();
                let (inner, group) = (inner.clone(), group.clone());
                async move { inner.target_health(&group).await }
            };
            reads.send(Operation::ReadTargetHealth, send).await
        };
        let names = [target_group.to_owned()];
        shared.ask(target_group.to_owned(), &names, send).await.result.map(|targets| targets.to_vec())
    }

    async fn set_default_actions(&self, listener: &str, actions: &Value) -> Result<Listener, Failure> {
        self.inner.set_default_actions(listener, actions).await
    }

    async fn set_rule_actions(&self, rule: &str, actions: &Value) -> Result<Rule, Failure> {
        self.inner.set_rule_actions(rule, actions).await
    }
}
