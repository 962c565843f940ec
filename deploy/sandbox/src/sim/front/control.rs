//! `/_sandbox/...`: for tests and the demonstration, not for AWS's clients. Not signed; the socket is on loopback.

use http::Method;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, pem, plain},
    fault_reader,
};
use crate::sim::{autoscaling::Autoscaling, cloudwatch::CloudWatch, ecs::ServiceStatus, simulator::World};

/// Answers a control request.
pub fn handle(world: &World, method: &Method, what: &str, body: &[u8]) -> Answer {
    match (method.as_str(), what) {
        ("GET", "health") => {
            plain(200, &json!({"healthy": true, "clockFactor": world.clock.factor(), "nameServer": world.name_server}))
        }
        ("GET", "state") => plain(200, &state(world)),
        ("GET", "calls") => plain(200, &world.state().journal.all()),
        ("DELETE", "calls") => {
            world.state().journal.clear();
            plain(200, &json!({}))
        }
        ("GET", "faults") => plain(200, &json!({"faults": world.state().faults.rules()})),
        ("POST", "faults") => add_faults(world, body),
        ("DELETE", "faults") => {
            world.state().faults.clear();
            plain(200, &json!({}))
        }
        ("GET", "ca") => pem(world.authority.certificate_pem()),
        ("GET", "traffic") => plain(200, &world.traffic.counts()),
        _ => plain(
            404,
            &json!({"error": "known: GET health, state, calls, traffic, ca, faults; POST faults; DELETE calls, faults"}),
        ),
    }
}

/// Adds one rule, or a list of rules: all of them, or none if any of them is wrong.
fn add_faults(world: &World, body: &[u8]) -> Answer {
    let given = match serde_json::from_slice(body) {
        Ok(Value::Array(rules)) => rules,
        Ok(rule) => vec![rule],
        Err(error) => return plain(400, &json!({"errors": [{"error": error.to_string()}]})),
    };
    let mut rules = Vec::new();
    let mut errors = Vec::new();
    for (index, rule) in given.iter().enumerate() {
        match fault_reader::read(rule) {
            Ok(rule) => rules.push(rule),
            Err(problems) => errors
                .extend(problems.iter().map(|problem| json!({"rule": index + 1, "place": problem.place, "error": problem.text}))),
        }
    }
    if !errors.is_empty() {
        return plain(400, &json!({"errors": errors}));
    }
    let mut state = world.state();
    rules.into_iter().for_each(|rule| state.faults.add(rule));
    plain(200, &json!({}))
}

/// Everything a deployer can change, in a fixed order, without clocks and counters.
fn state(world: &World) -> Value {
    let state = world.state();
    let mut all = Map::new();
    for ((account, region), (ecs, elb)) in &state.regions {
        let services: Map<String, Value> = ecs
            .services
            .iter()
            .filter(|(_, service)| service.status == ServiceStatus::Active)
            .map(|((cluster, name), service)| {
                let shape = json!({
                    "document": service.document, "taskDefinition": service.task_definition,
                    "desiredCount": service.desired, "tags": service.tags,
                });
                (format!("{cluster}/{name}"), shape)
            })
            .collect();
        let definitions: Map<String, Value> = ecs
            .families
            .iter()
            .map(|(family, revisions)| {
                let listed = revisions.iter().map(|revision| json!({"status": revision.status, "tags": revision.tags})).collect();
                (family.clone(), listed)
            })
            .collect();
        let shapes = |value: serde_json::Result<Value>| value.unwrap_or_default();
        let listeners: Map<String, Value> =
            elb.listeners.iter().map(|(arn, l)| (arn.clone(), shapes(serde_json::to_value(&l.shape)))).collect();
        let rules: Map<String, Value> =
            elb.rules.iter().map(|(arn, r)| (arn.clone(), shapes(serde_json::to_value(&r.shape)))).collect();
        let groups: Map<String, Value> = elb
            .target_groups
            .iter()
            .map(|(arn, group)| {
                (arn.clone(), json!({"shape": shapes(serde_json::to_value(&group.shape)), "attributes": group.attributes}))
            })
            .collect();
        let clusters: Map<String, Value> =
            ecs.clusters.iter().map(|(name, c)| (name.clone(), json!({"status": c.status, "tags": c.tags}))).collect();
        let region_state = json!({
            "clusters": clusters, "services": services, "taskDefinitions": definitions,
            "listeners": listeners, "rules": rules, "targetGroups": groups, "tags": elb.tags,
            "scaling": state.autoscaling.get(&(account.clone(), region.clone())).map(Autoscaling::shapes),
            "alarms": state.cloudwatch.get(&(account.clone(), region.clone())).map(CloudWatch::shapes),
        });
        all.insert(format!("{account}/{region}"), region_state);
    }
    Value::Object(all)
}
