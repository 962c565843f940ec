//! Namespaces: made (with the hosted zone that a DNS one brings), told, removed.

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, begun, here, invalid, page, required},
    state::Namespace,
};
use crate::sim::{context::Context, error::ApiError, route53::Zone};

pub(super) fn create(input: &Input, kind: &'static str, context: &mut Context<'_>) -> Answer {
    let name = required(input, "Name")?.to_owned();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if name.len() > 1_024 || !name.chars().all(allowed) {
        return Err(invalid(format!("Invalid namespace name: {name}")));
    }
    if kind == "DNS_PRIVATE" {
        required(input, "Vpc")?;
    }
    let twin = here(context).namespaces.iter().find(|(_, other)| other.name == name && other.kind == kind);
    if let Some((id, _)) = twin {
        return Err(ApiError::new("NamespaceAlreadyExists", format!("A namespace with the name {name} exists already: {id}.")));
    }
    let id = format!("ns-{}", context.hex(16));
    let arn = context.arn("servicediscovery", &format!("namespace/{id}"));
    let zone = (kind != "HTTP").then(|| {
        let zone_id = format!("Z{}", context.hex(19).to_ascii_uppercase());
        let mut zone = Zone::new(&name, kind == "DNS_PRIVATE", &id);
        zone.managed_by = Some(("servicediscovery.amazonaws.com".to_owned(), arn.clone()));
        context.route53.of(context.account).zones.insert(zone_id.clone(), zone);
        zone_id
    });
    let created_at = context.clock.epoch();
    here(context).namespaces.insert(id.clone(), Namespace { arn, name, kind, zone, created_at });
    Ok(begun(context, "CREATE_NAMESPACE", ("NAMESPACE", id)))
}

pub(super) fn get(input: &Input, context: &mut Context<'_>) -> Answer {
    let id = required(input, "Id")?;
    Ok(json!({"Namespace": shape(id, find(id, context)?)}))
}

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    let all = here(context).namespaces.iter().map(|(id, namespace)| shape(id, namespace)).collect();
    page(input, all, "Namespaces")
}

pub(super) fn delete(input: &Input, context: &mut Context<'_>) -> Answer {
    let id = required(input, "Id")?.to_owned();
    find(&id, context)?;
    if here(context).services.values().any(|service| service.namespace == id) {
        return Err(ApiError::new("ResourceInUse", "The namespace has associated services.").status(409));
    }
    if let Some(zone) = here(context).namespaces.remove(&id).and_then(|namespace| namespace.zone) {
        context.route53.of(context.account).zones.remove(&zone);
    }
    Ok(begun(context, "DELETE_NAMESPACE", ("NAMESPACE", id)))
}

pub(super) fn find<'a>(id: &str, context: &'a mut Context<'_>) -> Result<&'a Namespace, ApiError> {
    here(context)
        .namespaces
        .get(id)
        .ok_or_else(|| ApiError::new("NamespaceNotFound", format!("No namespace with id {id}.")).status(404))
}

fn shape(id: &str, namespace: &Namespace) -> Value {
    let mut properties = json!({"HttpProperties": {"HttpName": namespace.name}});
    if let Some(zone) = &namespace.zone {
        properties["DnsProperties"] = json!({"HostedZoneId": zone, "SOA": {"TTL": 15}});
    }
    json!({
        "Id": id, "Arn": namespace.arn, "Name": namespace.name, "Type": namespace.kind, "Properties": properties,
        "CreateDate": namespace.created_at,
    })
}
