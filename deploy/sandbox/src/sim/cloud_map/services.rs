//! Cloud Map services: made, told, removed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, here, invalid, page, required, text},
    instances::instances,
    namespaces,
    state::Registry,
};
use crate::sim::{context::Context, error::ApiError};

pub(super) fn create(input: &Input, context: &mut Context<'_>) -> Answer {
    let name = required(input, "Name")?.to_owned();
    let config = input.get("DnsConfig");
    let namespace = text(input, "NamespaceId").or_else(|| config.and_then(|config| config["NamespaceId"].as_str()));
    let namespace = namespace.ok_or_else(|| invalid("NamespaceId is required."))?.to_owned();
    let dns = namespaces::find(&namespace, context)?.kind != "HTTP";
    if config.is_some() && !dns {
        return Err(invalid("DnsConfig is not supported for services in an HTTP namespace."));
    }
    let mut records = Vec::new();
    for record in config.and_then(|config| config["DnsRecords"].as_array()).into_iter().flatten() {
        let kind = record["Type"].as_str().unwrap_or_default();
        if !["A", "AAAA", "SRV", "CNAME"].contains(&kind) {
            return Err(invalid(format!("Value '{kind}' at 'dnsConfig.dnsRecords.type' is not one of A, AAAA, SRV, CNAME.")));
        }
        let ttl = record["TTL"].as_u64().ok_or_else(|| invalid("TTL is required."))?;
        records.push((kind.to_owned(), ttl));
    }
    let routing = config.and_then(|config| config["RoutingPolicy"].as_str()).unwrap_or("MULTIVALUE").to_owned();
    let twin =
        here(context).services.iter().find(|(_, other)| other.namespace == namespace && other.name.eq_ignore_ascii_case(&name));
    if let Some((id, _)) = twin {
        return Err(ApiError::new("ServiceAlreadyExists", format!("A service with the name {name} exists already: {id}.")));
    }
    let id = format!("srv-{}", context.hex(16));
    let arn = context.arn("servicediscovery", &format!("service/{id}"));
    let created_at = context.clock.epoch();
    let registry = Registry { arn, name, namespace, records, routing, created_at, instances: BTreeMap::new() };
    let answer = json!({"Service": shape(&id, &registry, 0)});
    here(context).services.insert(id, registry);
    Ok(answer)
}

pub(super) fn get(input: &Input, context: &mut Context<'_>) -> Answer {
    let id = required(input, "Id")?;
    let registry = find(id, context)?.clone();
    let count = instances(&registry, context.ecs).len();
    Ok(json!({"Service": shape(id, &registry, count)}))
}

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    let mut wanted: Option<Vec<String>> = None;
    for filter in input.get("Filters").and_then(Value::as_array).into_iter().flatten() {
        if filter["Name"] == "NAMESPACE_ID" {
            let values = filter["Values"].as_array().into_iter().flatten();
            wanted = Some(values.filter_map(Value::as_str).map(str::to_owned).collect());
        }
    }
    let ecs = context.ecs.clone();
    let services = here(context).services.iter();
    let asked = services.filter(|(_, service)| wanted.as_ref().is_none_or(|wanted| wanted.contains(&service.namespace)));
    let all = asked.map(|(id, registry)| {
        let mut summary = shape(id, registry, instances(registry, &ecs).len());
        if let Some(members) = summary.as_object_mut() {
            // A summary does not tell them.
            members.retain(|name, _| name != "NamespaceId" && name != "CreatorRequestId");
        }
        summary
    });
    let all = all.collect();
    page(input, all, "Services")
}

pub(super) fn delete(input: &Input, context: &mut Context<'_>) -> Answer {
    let id = required(input, "Id")?.to_owned();
    let registry = find(&id, context)?.clone();
    if !instances(&registry, context.ecs).is_empty() {
        return Err(ApiError::new(
            "ResourceInUse",
            "Service contains registered instances; delete the instances before deleting the service",
        )
        .status(409));
    }
    here(context).services.remove(&id);
    Ok(json!({}))
}

pub(super) fn find<'a>(id: &str, context: &'a mut Context<'_>) -> Result<&'a Registry, ApiError> {
    // The ARN is taken as well as the id.
    let bare = id.rsplit('/').next().unwrap_or(id);
    let missing = || ApiError::new("ServiceNotFound", format!("No service with id {id}.")).status(404);
    context.cloud_maps.of(context.account, context.region).services.get(bare).ok_or_else(missing)
}

fn shape(id: &str, registry: &Registry, count: usize) -> Value {
    let records: Vec<Value> = registry.records.iter().map(|(kind, ttl)| json!({"Type": kind, "TTL": ttl})).collect();
    let mut shape = json!({
        "Id": id, "Arn": registry.arn, "Name": registry.name, "NamespaceId": registry.namespace, "InstanceCount": count,
        "CreateDate": registry.created_at, "CreatorRequestId": id,
        "Type": if records.is_empty() { "HTTP" } else { "DNS_HTTP" },
    });
    if !records.is_empty() {
        shape["DnsConfig"] = json!({"NamespaceId": registry.namespace, "RoutingPolicy": registry.routing, "DnsRecords": records});
    }
    shape
}
