//! Elastic Load Balancing on the port: one load balancer a line, with a production and a stage listener and two target groups.

use async_trait::async_trait;
use delegate::aws::{
    actions::forward_targets,
    model::{Listener, LoadBalancer, Rule, Target, TargetGroup},
    ports::LoadBalancing,
};
use domain::failure::Failure;
use serde_json::Value;

use super::{
    account::{Account, group},
    call::DelegatesAws,
    failures::refused,
};

fn balancer(line: &str) -> LoadBalancer {
    LoadBalancer {
        name: line.into(),
        arn: format!("arn:lb/{line}"),
        dns_name: format!("{line}.example"),
        kind: "application".into(),
        scheme: "internal".into(),
        state: "active".into(),
        vpc: "vpc-1".into(),
    }
}

fn described(arn: &str) -> Option<TargetGroup> {
    let line = arn.strip_prefix("arn:tg/")?.split('/').next()?;
    Some(TargetGroup {
        name: arn.strip_prefix("arn:tg/")?.replace('/', "-"),
        arn: arn.into(),
        port: Some(80),
        protocol: "HTTP".into(),
        vpc: "vpc-1".into(),
        target_type: "ip".into(),
        load_balancers: vec![format!("arn:lb/{line}")],
        health_check_interval_seconds: 5,
    })
}

fn default_rule(listener: &Listener) -> Rule {
    Rule {
        arn: format!("{}/default", listener.arn),
        priority: "default".into(),
        is_default: true,
        conditions: Vec::new(),
        actions: listener.actions.clone(),
    }
}

fn is_there(account: &Account, name: &str) -> bool {
    account.listeners.iter().any(|listener| listener.load_balancer == format!("arn:lb/{name}"))
}

#[async_trait]
impl LoadBalancing for DelegatesAws {
    async fn load_balancer(&self, name_or_arn: &str) -> Result<Option<LoadBalancer>, Failure> {
        let name = name_or_arn.strip_prefix("arn:lb/").unwrap_or(name_or_arn).to_owned();
        self.read("DescribeLoadBalancers", false, |account, _| Ok(is_there(account, &name).then(|| balancer(&name)))).await
    }

    async fn load_balancers(&self) -> Result<Vec<LoadBalancer>, Failure> {
        self.read("DescribeLoadBalancers", false, |account, _| {
            let arns = account.listeners.iter().filter(|listener| listener.port == 80).map(|listener| &listener.load_balancer);
            Ok(arns.filter_map(|arn| arn.strip_prefix("arn:lb/")).map(balancer).collect())
        })
        .await
    }

    async fn listeners_of(&self, load_balancer: &str) -> Result<Vec<Listener>, Failure> {
        self.read("DescribeListeners", false, |account, _| {
            Ok(account.listeners.iter().filter(|listener| listener.load_balancer == load_balancer).cloned().collect())
        })
        .await
    }

    async fn listeners(&self, arns: &[String]) -> Result<Vec<Listener>, Failure> {
        self.read("DescribeListeners", false, |account, _| {
            Ok(account.listeners.iter().filter(|listener| arns.contains(&listener.arn)).cloned().collect())
        })
        .await
    }

    async fn rules(&self, listener: &str) -> Result<Vec<Rule>, Failure> {
        self.read("DescribeRules", false, |account, _| {
            Ok(account.listeners.iter().filter(|known| known.arn == listener).map(default_rule).collect())
        })
        .await
    }

    async fn rules_named(&self, arns: &[String]) -> Result<Vec<Rule>, Failure> {
        self.read("DescribeRules", false, |account, _| {
            Ok(account.listeners.iter().map(default_rule).filter(|rule| arns.contains(&rule.arn)).collect())
        })
        .await
    }

    async fn target_groups(&self, arns: &[String]) -> Result<Vec<TargetGroup>, Failure> {
        self.read("DescribeTargetGroups", false, |_, _| Ok(arns.iter().filter_map(|arn| described(arn)).collect())).await
    }

    async fn target_groups_of(&self, load_balancer: &str) -> Result<Vec<TargetGroup>, Failure> {
        let line = load_balancer.strip_prefix("arn:lb/").unwrap_or(load_balancer);
        self.read("DescribeTargetGroups", false, |_, _| {
            Ok([1, 2].iter().filter_map(|number| described(&group(line, *number))).collect())
        })
        .await
    }

    async fn target_health(&self, target_group: &str) -> Result<Vec<Target>, Failure> {
        self.read("DescribeTargetHealth", false, |account, now| Ok(account.targets(target_group, now))).await
    }

    async fn set_default_actions(&self, listener: &str, actions: &Value) -> Result<Listener, Failure> {
        let (arn, actions) = (listener.to_owned(), actions.clone());
        let what = format!("{arn} to {:?}", forward_targets(&actions));
        self.write("ModifyListener", what, move |account, now| {
            account.lead(&arn, &actions, now);
            let found = account.listeners.iter().find(|known| known.arn == arn).cloned();
            found.ok_or_else(|| refused("ModifyListener", "ListenerNotFound", "No such listener."))
        })
        .await
    }

    async fn set_rule_actions(&self, _rule: &str, _actions: &Value) -> Result<Rule, Failure> {
        self.write("ModifyRule", String::new(), |_, _| Err(refused("ModifyRule", "RuleNotFound", "No such rule."))).await
    }
}
