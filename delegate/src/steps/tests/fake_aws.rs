//! An AWS small enough to hold in the hand: services whose tasks come and go as they are looked at, target groups that follow them,
//! and a fault at any call.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use domain::{
    failure::{Effect, Failure, FailureKind, PeerAnswer},
    step::AutoScaling,
};
use serde_json::{Value, json};

use crate::aws::{
    actions::single_target,
    model::*,
    ports::{ContainerLogs, Ecs, Identity, LoadBalancing},
};

pub(super) const CLUSTER: &str = "docs-ecs";
pub(super) const PROD: &str = "arn:aws:elasticloadbalancing:us-west-1:123456789012:listener/app/docs-example/1/prod";
pub(super) const STAGE: &str = "arn:aws:elasticloadbalancing:us-west-1:123456789012:listener/app/docs-example/1/stage";
pub(super) const BALANCER: &str = "arn:aws:elasticloadbalancing:us-west-1:123456789012:loadbalancer/app/docs-example/1";

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing happens, and AWS says that it is throttling.
    Throttled,
    /// Nothing happens, and no answer comes.
    LostBefore,
    /// It happens, and no answer comes.
    LostAfter,
    /// The program itself breaks.
    Panic,
}

/// Everything there is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct World {
    pub(super) cluster_status: Option<String>,
    pub(super) services: BTreeMap<String, Service>,
    pub(super) definitions: Vec<(Value, TaskDefinition)>,
    pub(super) created: Vec<Value>,
    pub(super) listeners: Vec<Listener>,
    pub(super) rules: Vec<(String, Rule)>,
    pub(super) groups: Vec<TargetGroup>,
    pub(super) targets: BTreeMap<String, Vec<Target>>,
    pub(super) crashing: bool,
    /// Cloud Map's registries are fixed; these are the records.
    pub(super) dns: super::fake_dns::Dns,
    /// Scalable targets with their policies, by service.
    pub(super) scaling: BTreeMap<String, AutoScaling>,
    /// What every container wrote last; none: it may not be read.
    pub(super) log: Option<String>,
    /// Targets never get well.
    pub(super) ill: bool,
    clock_ms: i64,
    events: u64,
}

/// The world with the calls made to it.
pub(super) struct FakeAws {
    pub(super) world: Mutex<World>,
    pub(super) calls: Mutex<Vec<&'static str>>,
    pub(super) fault: Mutex<Option<(usize, Fault)>>,
    /// What each look at the alarms finds.
    pub(super) alarms: Mutex<Vec<Vec<crate::aws::alarms::Alarm>>>,
    /// Requests that the old version gets in each period; none: metrics may not be read.
    pub(super) old_requests: Mutex<Option<f64>>,
    /// What the next looks at services are shown, and how many of them.
    pub(super) shown: Mutex<Option<(World, usize)>>,
}

pub(super) fn group(number: u8) -> TargetGroup {
    TargetGroup {
        name: format!("target{number}"),
        arn: format!("arn:tg/target{number}"),
        port: Some(80),
        protocol: "HTTP".into(),
        vpc: "vpc-1".into(),
        target_type: "ip".into(),
        load_balancers: vec![BALANCER.into()],
        health_check_interval_seconds: 10,
    }
}

pub(super) fn listener(arn: &str, port: u16, group: &str) -> Listener {
    Listener {
        arn: arn.into(),
        load_balancer: BALANCER.into(),
        port,
        protocol: "HTTP".into(),
        actions: json!([{
            "Type": "forward", "Order": 1, "TargetGroupArn": group, "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": group, "Weight": 1}], "TargetGroupStickinessConfig": {"Enabled": false}}
        }]),
    }
}

impl World {
    /// A cluster, a load balancer whose production forwards to target2 and whose stage forwards to target1, and no service.
    pub(super) fn empty() -> Self {
        Self {
            cluster_status: Some("ACTIVE".into()),
            services: BTreeMap::new(),
            definitions: Vec::new(),
            created: Vec::new(),
            listeners: vec![listener(PROD, 80, "arn:tg/target2"), listener(STAGE, 8080, "arn:tg/target1")],
            rules: Vec::new(),
            groups: vec![group(1), group(2)],
            targets: BTreeMap::new(),
            crashing: false,
            dns: super::fake_dns::Dns::default(),
            scaling: BTreeMap::new(),
            log: None,
            ill: false,
            clock_ms: 1_000_000,
            events: 0,
        }
    }

    /// The same with revision 17 live and revision 15 left over.
    pub(super) fn with_past(family: &str) -> Self {
        let mut world = Self::empty();
        for (revision, colour, group, count) in [(15, "GREEN", "arn:tg/target1", 0), (17, "BLUE", "arn:tg/target2", 2)] {
            let name = format!("{family}__{revision}");
            let mut service = fresh(&name, &format!("arn:td:{revision}"), group);
            service.tags.insert("BG_VERSION".into(), colour.into());
            service.desired = count;
            world.services.insert(name.clone(), service);
            world.settle(&name);
        }
        for revision in 1..=17 {
            let arn = format!("arn:td:{revision}");
            world.definitions.push((json!({"family": family}), TaskDefinition { arn, revision, tags: BTreeMap::new() }));
        }
        world
    }

    /// The same with DNS leading the traffic: revision 7 live in the first registry.
    pub(super) fn with_dns_past(family: &str) -> Self {
        let mut world = Self::with_past(family);
        world.services.clear();
        world.targets.clear();
        world.definitions.truncate(7);
        let name = format!("{family}__7");
        let mut service = fresh(&name, "arn:td:7", "");
        service.target_groups.clear();
        service.registries = vec![super::fake_dns::FIRST.into()];
        service.tags.insert("BG_VERSION".into(), "BLUE".into());
        service.desired = 2;
        world.services.insert(name.clone(), service);
        world.settle(&name);
        world.dns.records = super::fake_dns::led_to_first();
        world
    }

    fn event(&mut self, name: &str, text: &str) {
        self.events += 1;
        self.clock_ms += 1_500;
        let event = ServiceEvent {
            id: format!("event-{}", self.events),
            at_ms: self.clock_ms,
            message: format!("(service {name}) {text}"),
        };
        if let Some(service) = self.services.get_mut(name) {
            service.events.insert(0, event);
        }
    }

    /// Lets time pass for a service, one stage of its life at a look.
    fn tick(&mut self, name: &str) {
        let Some(service) = self.services.get(name).cloned() else { return };
        let groups = service.target_groups.clone();
        if self.crashing && service.desired > 0 {
            let service = self.services.get_mut(name).expect("it is there");
            service.deployments[0].failed_tasks += 1;
            service.pending = service.desired;
        } else if service.desired > service.running && service.pending == 0 {
            let missing = service.desired - service.running;
            let tasks: String = (0..missing).map(|n| format!(" (task {})", task_id(name, n))).collect();
            self.event(name, &format!("has started {missing} tasks:{tasks}."));
            let service = self.services.get_mut(name).expect("it is there");
            service.pending = missing;
            service.deployments[0].rollout_state = Some("IN_PROGRESS".into());
        } else if service.pending > 0 {
            let service = self.services.get_mut(name).expect("it is there");
            service.running = service.desired;
            service.pending = 0;
            let count = service.desired;
            for group in groups {
                self.targets.insert(group.clone(), (0..count).map(|n| target(name, n, "initial")).collect());
                self.event(name, &format!("registered {count} targets in (target-group {group})"));
            }
        } else if service.desired < service.running {
            let service = self.services.get_mut(name).expect("it is there");
            let gone = service.running - service.desired;
            service.running = service.desired;
            for group in groups {
                self.targets.insert(group, Vec::new());
            }
            self.event(name, &format!("has stopped {gone} running tasks: (task {}).", task_id(name, 0)));
        } else if service.deployments[0].rollout_state.as_deref() == Some("IN_PROGRESS") {
            let service = self.services.get_mut(name).expect("it is there");
            service.deployments[0].rollout_state = Some("COMPLETED".into());
            self.event(name, "has reached a steady state.");
        }
    }

    pub(super) fn settle(&mut self, name: &str) {
        for _ in 0..6 {
            self.tick(name);
        }
        for group in self.services[name].target_groups.clone() {
            for target in self.targets.entry(group).or_default() {
                target.state = "healthy".into();
            }
        }
    }

    /// What has to be the same however a deployment went: everything but AWS's clock and what it says on the way.
    pub(super) fn comparable(mut self) -> Self {
        self.clock_ms = 0;
        self.events = 0;
        for service in self.services.values_mut() {
            service.events.clear();
        }
        self
    }

    pub(super) fn forwards(&self, arn: &str) -> String {
        let listener = self.listeners.iter().find(|listener| listener.arn == arn).expect("it is there");
        single_target(&listener.actions).expect("one target")
    }

    pub(super) fn colour(&self, name: &str) -> Option<&str> {
        self.services[name].tags.get("BG_VERSION").map(String::as_str)
    }
}

fn task_id(service: &str, number: u32) -> String {
    format!("{}-{number}", service.rsplit("__").next().unwrap_or_default())
}

pub(super) fn address(service: &str, number: u32) -> String {
    format!("10.0.{}.{}", service.rsplit("__").next().unwrap_or_default(), 100 + number)
}

fn target(service: &str, number: u32, state: &str) -> Target {
    Target { id: address(service, number), port: Some(80), state: state.into(), reason: None, description: None }
}

fn fresh(name: &str, task_definition: &str, group: &str) -> Service {
    let deployment = ServiceDeployment {
        id: "ecs-svc/1".into(),
        status: "PRIMARY".into(),
        rollout_state: Some("COMPLETED".into()),
        ..ServiceDeployment::default()
    };
    Service {
        name: name.into(),
        arn: format!("arn:aws:ecs:us-west-1:123456789012:service/{CLUSTER}/{name}"),
        status: "ACTIVE".into(),
        task_definition: task_definition.into(),
        deployments: vec![deployment],
        target_groups: vec![group.into()],
        ..Service::default()
    }
}

fn tags(document: &Value) -> BTreeMap<String, String> {
    let text = |tag: &Value, member: &str| tag[member].as_str().unwrap_or_default().to_owned();
    document["tags"].as_array().into_iter().flatten().map(|tag| (text(tag, "key"), text(tag, "value"))).collect()
}

impl FakeAws {
    pub(super) fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            calls: Mutex::default(),
            fault: Mutex::default(),
            alarms: Mutex::default(),
            old_requests: Mutex::default(),
            shown: Mutex::default(),
        }
    }

    pub(super) fn world(&self) -> World {
        self.world.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn count(&self, operation: &str) -> usize {
        self.calls.lock().expect("no panic").iter().filter(|call| **call == operation).count()
    }

    /// One call: counted, perhaps at fault, carried out.
    pub(super) fn call<T>(
        &self,
        operation: &'static str,
        act: impl FnOnce(&mut World) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let number = {
            let mut calls = self.calls.lock().expect("no panic");
            calls.push(operation);
            calls.len() - 1
        };
        let fault = self.fault.lock().expect("no panic").filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        let lost = |effect| Failure { effect, transient: true, ..Failure::refused(FailureKind::Connectivity, "no answer") };
        match fault {
            Some(Fault::Throttled) => return Err(lost(Effect::DidNotHappen)),
            Some(Fault::LostBefore) => return Err(lost(Effect::MayHaveHappened)),
            Some(Fault::Panic) => panic!("as the test wants it"),
            _ => {}
        }
        let result = act(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner));
        if fault == Some(Fault::LostAfter) { Err(lost(Effect::MayHaveHappened)) } else { result }
    }
}

fn refused(operation: &str, code: &str, message: &str) -> Failure {
    let answer = PeerAnswer {
        operation: operation.into(),
        code: Some(code.into()),
        message: Some(message.into()),
        request_id: Some("req-1".into()),
    };
    Failure {
        answer: Some(Box::new(answer)),
        ..Failure::refused(FailureKind::Application, format!("Could not {operation}: {code}: {message}"))
    }
}

#[async_trait]
impl Ecs for FakeAws {
    async fn cluster(&self, cluster: &str) -> Result<Option<Cluster>, Failure> {
        self.call("DescribeClusters", |world| {
            let found = |status: String| Cluster { name: CLUSTER.into(), arn: format!("arn:cluster/{CLUSTER}"), status };
            Ok(world.cluster_status.clone().filter(|_| cluster == CLUSTER).map(found))
        })
    }

    async fn service_names(&self, _cluster: &str) -> Result<Vec<String>, Failure> {
        self.call("ListServices", |world| Ok(world.services.keys().cloned().collect()))
    }

    async fn services(&self, _cluster: &str, names: &[String]) -> Result<Vec<Service>, Failure> {
        self.call("DescribeServices", |world| {
            if let Some((before, looks @ 1..)) = self.shown.lock().expect("no panic").as_mut() {
                *looks -= 1;
                return Ok(names.iter().filter_map(|name| before.services.get(name).cloned()).collect());
            }
            let found = names.iter().filter_map(|name| world.services.get(name).cloned()).collect();
            for name in names {
                world.tick(name);
            }
            Ok(found)
        })
    }

    async fn tasks(&self, _cluster: &str, service: &str, state: TaskState) -> Result<Vec<Task>, Failure> {
        self.call("ListTasks", |world| {
            let found = &world.services[service];
            let container = "harness_todolist-sample_4".to_owned();
            let crashed = if world.crashing { found.deployments[0].failed_tasks } else { 0 };
            let task = |number| Task {
                arn: format!("arn:task/{CLUSTER}/{}", task_id(service, number)),
                address: Some(address(service, number)),
                ..Task::default()
            };
            Ok(match state {
                TaskState::Running => (0..found.running).map(task).collect(),
                TaskState::Stopped => (0..crashed)
                    .map(|number| Task {
                        stopped_reason: Some("Essential container in task exited".into()),
                        stop_code: Some("EssentialContainerExited".into()),
                        containers: vec![TaskContainer { name: container.clone(), exit_code: Some(1), reason: None }],
                        ..task(number)
                    })
                    .collect(),
            })
        })
    }

    async fn newest_revisions(&self, _family: &str, limit: u8) -> Result<Vec<String>, Failure> {
        self.call("ListTaskDefinitions", |world| {
            Ok(world.definitions.iter().rev().take(limit.into()).map(|(_, definition)| definition.arn.clone()).collect())
        })
    }

    async fn task_definition(&self, arn: &str) -> Result<TaskDefinition, Failure> {
        self.call("DescribeTaskDefinition", |world| {
            let found = world.definitions.iter().find(|(_, definition)| definition.arn == arn);
            Ok(found.expect("a known revision").1.clone())
        })
    }

    async fn task_definition_document(&self, arn: &str) -> Result<Value, Failure> {
        self.call("DescribeTaskDefinition", |world| {
            let found = world.definitions.iter().find(|(_, definition)| definition.arn == arn);
            Ok(found.expect("a known revision").0.clone())
        })
    }

    async fn register_task_definition(&self, document: &Value) -> Result<TaskDefinition, Failure> {
        self.call("RegisterTaskDefinition", |world| {
            let revision = i32::try_from(world.definitions.len()).expect("few") + 1;
            let definition = TaskDefinition { arn: format!("arn:td:{revision}"), revision, tags: tags(document) };
            world.definitions.push((document.clone(), definition.clone()));
            Ok(definition)
        })
    }

    async fn create_service(&self, document: &Value) -> Result<Service, Failure> {
        self.call("CreateService", |world| {
            let name = document["serviceName"].as_str().expect("a name");
            if let Some(existing) = world.services.get(name) {
                let same = world.created.iter().any(|created| created["clientToken"] == document["clientToken"]);
                let refusal = refused("CreateService", "InvalidParameterException", "Creation of service was not idempotent.");
                return if same { Ok(existing.clone()) } else { Err(refusal) };
            }
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let listed = |list: &str, member: &str| -> Vec<String> {
                document[list].as_array().into_iter().flatten().map(|entry| text(&entry[member])).collect()
            };
            let mut service = fresh(name, &text(&document["taskDefinition"]), "");
            service.target_groups = listed("loadBalancers", "targetGroupArn");
            service.registries = listed("serviceRegistries", "registryArn");
            service.tags = tags(document);
            world.services.insert(name.into(), service.clone());
            world.created.push(document.clone());
            world.event(name, "has reached a steady state.");
            Ok(service)
        })
    }

    async fn set_desired_count(&self, _cluster: &str, service: &str, count: u32) -> Result<Service, Failure> {
        self.call("UpdateService", |world| {
            let service = world.services.get_mut(service).expect("a known service");
            service.desired = count;
            Ok(service.clone())
        })
    }

    async fn delete_service(&self, _cluster: &str, service: &str) -> Result<(), Failure> {
        self.call("DeleteService", |world| {
            let gone = || refused("DeleteService", "ServiceNotFoundException", "Service not found.");
            world.services.remove(service).map(|_| ()).ok_or_else(gone)
        })
    }

    async fn tag(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), Failure> {
        self.call("TagResource", |world| {
            world.services.values_mut().find(|service| service.arn == arn).expect("known").tags.extend(tags.clone());
            Ok(())
        })
    }

    async fn untag(&self, arn: &str, keys: &[String]) -> Result<(), Failure> {
        self.call("UntagResource", |world| {
            let service = world.services.values_mut().find(|service| service.arn == arn).expect("known");
            service.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
    }

    async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Failure> {
        self.call("ListTagsForResource", |world| {
            Ok(world.services.values().find(|service| service.arn == arn).expect("known").tags.clone())
        })
    }
}

#[async_trait]
impl LoadBalancing for FakeAws {
    async fn load_balancer(&self, name_or_arn: &str) -> Result<Option<LoadBalancer>, Failure> {
        self.call("DescribeLoadBalancers", |_| {
            let balancer = LoadBalancer {
                name: "docs-example".into(),
                arn: BALANCER.into(),
                dns_name: "docs.example".into(),
                kind: "application".into(),
                scheme: "internal".into(),
                state: "active".into(),
                vpc: "vpc-1".into(),
            };
            Ok(Some(balancer).filter(|balancer| [&balancer.name, &balancer.arn].iter().any(|known| *known == name_or_arn)))
        })
    }

    async fn load_balancers(&self) -> Result<Vec<LoadBalancer>, Failure> {
        Ok(self.load_balancer(BALANCER).await?.into_iter().collect())
    }

    async fn listeners_of(&self, _load_balancer: &str) -> Result<Vec<Listener>, Failure> {
        self.call("DescribeListeners", |world| Ok(world.listeners.clone()))
    }

    async fn listeners(&self, arns: &[String]) -> Result<Vec<Listener>, Failure> {
        self.call("DescribeListeners", |world| {
            Ok(world.listeners.iter().filter(|listener| arns.contains(&listener.arn)).cloned().collect())
        })
    }

    async fn rules(&self, listener: &str) -> Result<Vec<Rule>, Failure> {
        self.call("DescribeRules", |world| {
            Ok(world.rules.iter().filter(|(of, _)| of == listener).map(|(_, rule)| rule.clone()).collect())
        })
    }

    async fn rules_named(&self, arns: &[String]) -> Result<Vec<Rule>, Failure> {
        self.call("DescribeRules", |world| {
            Ok(world.rules.iter().filter(|(_, rule)| arns.contains(&rule.arn)).map(|(_, rule)| rule.clone()).collect())
        })
    }

    async fn target_groups(&self, arns: &[String]) -> Result<Vec<TargetGroup>, Failure> {
        self.call("DescribeTargetGroups", |world| {
            Ok(world.groups.iter().filter(|group| arns.contains(&group.arn)).cloned().collect())
        })
    }

    async fn target_groups_of(&self, _load_balancer: &str) -> Result<Vec<TargetGroup>, Failure> {
        self.call("DescribeTargetGroups", |world| Ok(world.groups.clone()))
    }

    async fn target_health(&self, target_group: &str) -> Result<Vec<Target>, Failure> {
        self.call("DescribeTargetHealth", |world| {
            let now = world.targets.get(target_group).cloned().unwrap_or_default();
            for target in world.targets.entry(target_group.into()).or_default() {
                target.state = if world.ill && target_group == "arn:tg/target1" { "unhealthy" } else { "healthy" }.into();
            }
            Ok(now)
        })
    }

    async fn set_default_actions(&self, listener: &str, actions: &Value) -> Result<Listener, Failure> {
        self.call("ModifyListener", |world| {
            let listener = world.listeners.iter_mut().find(|known| known.arn == listener).expect("known");
            listener.actions = actions.clone();
            Ok(listener.clone())
        })
    }

    async fn set_rule_actions(&self, rule: &str, actions: &Value) -> Result<Rule, Failure> {
        self.call("ModifyRule", |world| {
            let (_, rule) = world.rules.iter_mut().find(|(_, known)| known.arn == rule).expect("known");
            rule.actions = actions.clone();
            Ok(rule.clone())
        })
    }
}

#[async_trait]
impl ContainerLogs for FakeAws {
    async fn last_lines(&self, group: &str, stream: &str, _region: Option<&str>, _limit: u16) -> Result<Vec<String>, Failure> {
        self.call("GetLogEvents", |world| match &world.log {
            Some(line) => Ok(vec![format!("{group} {stream}"), line.clone()]),
            None => Err(refused("GetLogEvents", "AccessDeniedException", "not authorized")),
        })
    }
}

#[async_trait]
impl Identity for FakeAws {
    async fn caller(&self) -> Result<CallerIdentity, Failure> {
        self.calls.lock().expect("no panic").push("GetCallerIdentity");
        Ok(CallerIdentity { account: "123456789012".into(), arn: "arn:aws:iam::123456789012:user/delegate".into() })
    }
}
