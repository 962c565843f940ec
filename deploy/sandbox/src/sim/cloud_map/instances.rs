//! The instances of a Cloud Map service: every running task of the ECS services that name it in `serviceRegistries`, and those that
//! were registered by hand.

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, begun, here, invalid, page, required},
    services::find,
    state::Registry,
};
use crate::sim::{
    context::Context,
    ecs::{Ecs, Phase},
    error::ApiError,
};

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id: the task's, if ECS registered it.
    pub id: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Instance {
    /// Its address, for A records.
    pub fn address(&self) -> Option<Ipv4Addr> {
        self.attributes.get("AWS_INSTANCE_IPV4")?.parse().ok()
    }

    /// Its port, for SRV records.
    pub fn port(&self) -> Option<u16> {
        self.attributes.get("AWS_INSTANCE_PORT")?.parse().ok()
    }
}

/// All instances of a service.
pub fn instances(registry: &Registry, ecs: &Ecs) -> Vec<Instance> {
    let by_hand = registry.instances.iter();
    let mut all: Vec<Instance> =
        by_hand.map(|(id, attributes)| Instance { id: id.clone(), attributes: attributes.clone() }).collect();
    for task in ecs.tasks.values().filter(|task| task.phase == Phase::Running) {
        let Some(name) = &task.service else { continue };
        let Some(service) = ecs.services.get(&(task.cluster.clone(), name.clone())) else { continue };
        let listed = service.document.get("serviceRegistries").and_then(Value::as_array).into_iter().flatten();
        for entry in listed.filter(|entry| entry["registryArn"] == registry.arn.as_str()) {
            let family = task.task_definition.rsplit('/').next().unwrap_or_default().split(':').next().unwrap_or_default();
            let mut attributes = BTreeMap::from([
                ("AWS_INSTANCE_IPV4".to_owned(), task.address.to_string()),
                ("ECS_CLUSTER_NAME".to_owned(), task.cluster.clone()),
                ("ECS_SERVICE_NAME".to_owned(), name.clone()),
                ("ECS_TASK_DEFINITION_FAMILY".to_owned(), family.to_owned()),
                ("AWS_INIT_HEALTH_STATUS".to_owned(), "HEALTHY".to_owned()),
            ]);
            if let Some(port) = entry["containerPort"].as_u64().or_else(|| entry["port"].as_u64()) {
                attributes.insert("AWS_INSTANCE_PORT".to_owned(), port.to_string());
            }
            all.push(Instance { id: task.id.clone(), attributes });
        }
    }
    all
}

pub(super) fn register(input: &Input, context: &mut Context<'_>) -> Answer {
    let (service, id) = (required(input, "ServiceId")?.to_owned(), required(input, "InstanceId")?.to_owned());
    find(&service, context)?;
    let given = input.get("Attributes").and_then(Value::as_object).ok_or_else(|| invalid("Attributes is required."))?;
    let attributes = given.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    if let Some(registry) = here(context).services.get_mut(&service) {
        registry.instances.insert(id.clone(), attributes);
    }
    Ok(begun(context, "REGISTER_INSTANCE", ("INSTANCE", id)))
}

pub(super) fn deregister(input: &Input, context: &mut Context<'_>) -> Answer {
    let (service, id) = (required(input, "ServiceId")?.to_owned(), required(input, "InstanceId")?.to_owned());
    find(&service, context)?;
    let gone = here(context).services.get_mut(&service).and_then(|registry| registry.instances.remove(&id));
    if gone.is_none() {
        return Err(ApiError::new("InstanceNotFound", format!("No instance with id {id}.")).status(404));
    }
    Ok(begun(context, "DEREGISTER_INSTANCE", ("INSTANCE", id)))
}

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    let id = required(input, "ServiceId")?;
    let registry = find(id, context)?.clone();
    let all = instances(&registry, context.ecs);
    let told = all.iter().map(|instance| json!({"Id": instance.id, "Attributes": instance.attributes})).collect();
    page(input, told, "Instances")
}
