//! Elastic Load Balancing over the SDK.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_elasticloadbalancingv2::{Client, config::Builder, types as sdk};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::failure::{Failure, FailureKind};
use serde_json::Value;

use super::{
    actions,
    failure::{Call, failure},
    limits::CallLimits,
    request_ids::RequestIds,
};
use crate::aws::{
    model::{Listener, LoadBalancer, Rule, Target, TargetGroup},
    ports::LoadBalancing,
};

/// The load balancers: one client for reads, one for writes, over the same connections.
pub(super) struct SdkLoadBalancing {
    reads: Client,
    writes: Client,
}

impl SdkLoadBalancing {
    pub(super) fn new(config: &SdkConfig, limits: CallLimits) -> Self {
        let configured = || Builder::from(config).interceptor(RequestIds("elasticloadbalancing"));
        let writes = configured().timeout_config(limits.write_timeouts()).retry_config(CallLimits::no_retries());
        Self { reads: Client::from_conf(configured().build()), writes: Client::from_conf(writes.build()) }
    }
}

fn read<'a>(operation: &'static str, what: &'a str) -> Call<'a> {
    Call { operation, writes: false, what }
}

#[async_trait]
impl LoadBalancing for SdkLoadBalancing {
    async fn load_balancer(&self, name_or_arn: &str) -> Result<Option<LoadBalancer>, Failure> {
        let what = format!("read the load balancer {name_or_arn}");
        let call = read("elasticloadbalancing:DescribeLoadBalancers", &what);
        let request = self.reads.describe_load_balancers();
        let request =
            if name_or_arn.starts_with("arn:") { request.load_balancer_arns(name_or_arn) } else { request.names(name_or_arn) };
        match request.send().await {
            Ok(answer) => Ok(answer.load_balancers().first().map(load_balancer)),
            Err(error) if error.code() == Some("LoadBalancerNotFound") => Ok(None),
            Err(error) => Err(failure(call, &error)),
        }
    }

    async fn load_balancers(&self) -> Result<Vec<LoadBalancer>, Failure> {
        let call = read("elasticloadbalancing:DescribeLoadBalancers", "list the load balancers");
        let mut pages = self.reads.describe_load_balancers().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            found.push(load_balancer(&item.map_err(|error| failure(call, &error))?));
        }
        Ok(found)
    }

    async fn listeners_of(&self, load_balancer: &str) -> Result<Vec<Listener>, Failure> {
        let what = format!("list the listeners of {load_balancer}");
        let call = read("elasticloadbalancing:DescribeListeners", &what);
        let mut pages = self.reads.describe_listeners().load_balancer_arn(load_balancer).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            found.push(listener(&item.map_err(|error| failure(call, &error))?));
        }
        Ok(found)
    }

    async fn listeners(&self, arns: &[String]) -> Result<Vec<Listener>, Failure> {
        let what = format!("read the listeners {}", arns.join(", "));
        let call = read("elasticloadbalancing:DescribeListeners", &what);
        let request = self.reads.describe_listeners().set_listener_arns(Some(arns.to_vec()));
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        Ok(answer.listeners().iter().map(listener).collect())
    }

    async fn rules(&self, listener: &str) -> Result<Vec<Rule>, Failure> {
        let what = format!("list the rules of the listener {listener}");
        let call = read("elasticloadbalancing:DescribeRules", &what);
        let mut found = Vec::new();
        let mut marker = None;
        // The SDK has no paginator for this operation in every version; the marker is simple enough.
        loop {
            let request = self.reads.describe_rules().listener_arn(listener).set_marker(marker.take());
            let answer = request.send().await.map_err(|error| failure(call, &error))?;
            found.extend(answer.rules().iter().map(rule));
            match answer.next_marker() {
                Some(next) if !next.is_empty() => marker = Some(next.to_owned()),
                _ => return Ok(found),
            }
        }
    }

    async fn rules_named(&self, arns: &[String]) -> Result<Vec<Rule>, Failure> {
        let what = format!("read the rules {}", arns.join(", "));
        let call = read("elasticloadbalancing:DescribeRules", &what);
        let request = self.reads.describe_rules().set_rule_arns(Some(arns.to_vec()));
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        Ok(answer.rules().iter().map(rule).collect())
    }

    async fn target_groups(&self, arns: &[String]) -> Result<Vec<TargetGroup>, Failure> {
        let what = format!("read the target groups {}", arns.join(", "));
        let call = read("elasticloadbalancing:DescribeTargetGroups", &what);
        let request = self.reads.describe_target_groups().set_target_group_arns(Some(arns.to_vec()));
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        Ok(answer.target_groups().iter().map(target_group).collect())
    }

    async fn target_groups_of(&self, load_balancer: &str) -> Result<Vec<TargetGroup>, Failure> {
        let what = format!("list the target groups of {load_balancer}");
        let call = read("elasticloadbalancing:DescribeTargetGroups", &what);
        let mut pages = self.reads.describe_target_groups().load_balancer_arn(load_balancer).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            found.push(target_group(&item.map_err(|error| failure(call, &error))?));
        }
        Ok(found)
    }

    async fn target_health(&self, target_group: &str) -> Result<Vec<Target>, Failure> {
        let what = format!("read the health of the targets of {target_group}");
        let call = read("elasticloadbalancing:DescribeTargetHealth", &what);
        let request = self.reads.describe_target_health().target_group_arn(target_group);
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        Ok(answer.target_health_descriptions().iter().map(target).collect())
    }

    async fn set_default_actions(&self, listener_arn: &str, wanted: &Value) -> Result<Listener, Failure> {
        let what = format!("change the default actions of the listener {listener_arn}");
        let call = Call { operation: "elasticloadbalancing:ModifyListener", writes: true, what: &what };
        let actions = actions::to_sdk(wanted)
            .map_err(|error| Failure::refused(FailureKind::Application, format!("Could not {what}: {error}.")))?;
        let request = self.writes.modify_listener().listener_arn(listener_arn).set_default_actions(Some(actions));
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        answer.listeners().first().map(listener).ok_or_else(|| {
            Failure::uncertain(FailureKind::Connectivity, format!("Could not {what}: AWS's answer does not hold the listener."))
        })
    }

    async fn set_rule_actions(&self, rule_arn: &str, wanted: &Value) -> Result<Rule, Failure> {
        let what = format!("change the actions of the rule {rule_arn}");
        let call = Call { operation: "elasticloadbalancing:ModifyRule", writes: true, what: &what };
        let actions = actions::to_sdk(wanted)
            .map_err(|error| Failure::refused(FailureKind::Application, format!("Could not {what}: {error}.")))?;
        let request = self.writes.modify_rule().rule_arn(rule_arn).set_actions(Some(actions));
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        answer.rules().first().map(rule).ok_or_else(|| {
            Failure::uncertain(FailureKind::Connectivity, format!("Could not {what}: AWS's answer does not hold the rule."))
        })
    }
}

fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

fn port(value: Option<i32>) -> Option<u16> {
    value.and_then(|port| u16::try_from(port).ok())
}

fn load_balancer(balancer: &sdk::LoadBalancer) -> LoadBalancer {
    LoadBalancer {
        name: text(balancer.load_balancer_name()),
        arn: text(balancer.load_balancer_arn()),
        dns_name: text(balancer.dns_name()),
        kind: text(balancer.r#type().map(sdk::LoadBalancerTypeEnum::as_str)),
        scheme: text(balancer.scheme().map(sdk::LoadBalancerSchemeEnum::as_str)),
        state: text(balancer.state().and_then(|state| state.code()).map(sdk::LoadBalancerStateEnum::as_str)),
        vpc: text(balancer.vpc_id()),
    }
}

fn listener(listener: &sdk::Listener) -> Listener {
    Listener {
        arn: text(listener.listener_arn()),
        load_balancer: text(listener.load_balancer_arn()),
        port: port(listener.port()).unwrap_or_default(),
        protocol: text(listener.protocol().map(sdk::ProtocolEnum::as_str)),
        actions: actions::from_sdk(listener.default_actions()),
    }
}

fn rule(rule: &sdk::Rule) -> Rule {
    Rule {
        arn: text(rule.rule_arn()),
        priority: text(rule.priority()),
        is_default: rule.is_default().unwrap_or_default(),
        conditions: rule.conditions().iter().map(condition).collect(),
        actions: actions::from_sdk(rule.actions()),
    }
}

fn condition(condition: &sdk::RuleCondition) -> String {
    let field = condition.field().unwrap_or("condition");
    let mut values: Vec<String> = condition.values().to_vec();
    values.extend(condition.regex_values().iter().cloned());
    let listed = [
        condition.host_header_config().map(|config| config.values()),
        condition.path_pattern_config().map(|config| config.values()),
        condition.http_request_method_config().map(|config| config.values()),
        condition.source_ip_config().map(|config| config.values()),
    ];
    for value in listed.into_iter().flatten().flatten() {
        // AWS gives paths and hosts in the old and in the new place.
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    if let Some(header) = condition.http_header_config() {
        values.push(format!("{}: {}", header.http_header_name().unwrap_or_default(), header.values().join(", ")));
    }
    if let Some(query) = condition.query_string_config() {
        values.extend(
            query.values().iter().map(|pair| format!("{}={}", pair.key().unwrap_or("*"), pair.value().unwrap_or_default())),
        );
    }
    format!("{field} {}", values.join(", "))
}

fn target_group(group: &sdk::TargetGroup) -> TargetGroup {
    TargetGroup {
        name: text(group.target_group_name()),
        arn: text(group.target_group_arn()),
        port: port(group.port()),
        protocol: text(group.protocol().map(sdk::ProtocolEnum::as_str)),
        vpc: text(group.vpc_id()),
        target_type: text(group.target_type().map(sdk::TargetTypeEnum::as_str)),
        load_balancers: group.load_balancer_arns().to_vec(),
        health_check_interval_seconds: group
            .health_check_interval_seconds()
            .and_then(|seconds| u32::try_from(seconds).ok())
            .unwrap_or(30),
    }
}

fn target(target: &sdk::TargetHealthDescription) -> Target {
    let health = target.target_health();
    Target {
        id: text(target.target().and_then(sdk::TargetDescription::id)),
        port: port(target.target().and_then(sdk::TargetDescription::port)),
        state: text(health.and_then(|health| health.state()).map(sdk::TargetHealthStateEnum::as_str)),
        reason: health.and_then(|health| health.reason()).map(|reason| reason.as_str().to_owned()),
        description: health.and_then(|health| health.description()).map(str::to_owned),
    }
}
