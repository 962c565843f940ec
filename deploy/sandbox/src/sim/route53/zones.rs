//! Hosted zones: made, told, removed; and how far a change has come.

use serde_json::{Value, json};

use super::{
    api::{Answer, Rest, here, invalid, no_zone, size},
    state::{Change, Zone, absolute},
};
use crate::sim::{context::Context, error::ApiError};

/// How long a change takes to reach every name server, in AWS's time (docs: generally within 60 seconds).
const IN_SYNC_AFTER: f64 = 30.0;

pub(super) fn create(input: &Rest, context: &mut Context<'_>) -> Answer {
    let text = |name: &str| input.body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (Some(name), Some(reference)) = (text("Name"), text("CallerReference")) else {
        return Err(invalid("Name and CallerReference are required"));
    };
    if here(context).zones.values().any(|zone| zone.caller_reference == reference) {
        let message = format!("A hosted zone has already been created with the specified caller reference: {reference}");
        return Err(ApiError::new("HostedZoneAlreadyExists", message).status(409));
    }
    let id = format!("Z{}", context.hex(19).to_ascii_uppercase());
    let zone = Zone::new(name, input.body.contains_key("VPC"), reference);
    let shape = shape(&id, &zone);
    here(context).zones.insert(id, zone);
    let change = begun(context);
    Ok(json!({
        "HostedZone": shape, "ChangeInfo": change,
        "DelegationSet": {"NameServers": {"NameServer": ["ns-1.awsdns-00.com", "ns-2.awsdns-00.net"]}},
    }))
}

/// Notes a change, and tells it.
pub(super) fn begun(context: &mut Context<'_>) -> Value {
    let id = format!("C{}", context.hex(20).to_ascii_uppercase());
    let submitted = jiff::Timestamp::now().to_string();
    let in_sync_at = context.clock.now() + context.jittered(IN_SYNC_AFTER);
    let change = Change { submitted, in_sync_at };
    let told = told(&id, &change, false);
    here(context).changes.insert(id, change);
    told
}

/// The moment from which on the change that was noted last is everywhere.
pub(super) fn in_sync_at(told: &Value, context: &mut Context<'_>) -> f64 {
    let id = told["Id"].as_str().and_then(|id| id.rsplit('/').next()).unwrap_or_default().to_owned();
    here(context).changes.get(&id).map_or(0.0, |change| change.in_sync_at)
}

fn told(id: &str, change: &Change, in_sync: bool) -> Value {
    let status = if in_sync { "INSYNC" } else { "PENDING" };
    json!({"Id": format!("/change/{id}"), "Status": status, "SubmittedAt": change.submitted})
}

pub(super) fn change(input: &Rest, context: &mut Context<'_>) -> Answer {
    let now = context.clock.now();
    let Some(change) = here(context).changes.get(&input.id) else {
        let message = format!("Could not find resource with ID: {}", input.id);
        return Err(ApiError::new("NoSuchChange", message).status(404));
    };
    Ok(json!({"ChangeInfo": told(&input.id, change, now >= change.in_sync_at)}))
}

pub(super) fn get(input: &Rest, context: &mut Context<'_>) -> Answer {
    let zone = here(context).zones.get(&input.id).ok_or_else(|| no_zone(&input.id))?;
    let mut answer = json!({"HostedZone": shape(&input.id, zone)});
    if zone.private {
        answer["VPCs"] = json!({"VPC": [{"VPCRegion": "us-east-1", "VPCId": "vpc-1"}]});
    } else {
        answer["DelegationSet"] = json!({"NameServers": {"NameServer": ["ns-1.awsdns-00.com", "ns-2.awsdns-00.net"]}});
    }
    Ok(answer)
}

pub(super) fn list(input: &Rest, context: &mut Context<'_>) -> Answer {
    let size = size(input, "maxitems", 100)?;
    let marker = input.query.get("marker").cloned().unwrap_or_default();
    let mut zones: Vec<(&String, &Zone)> = here(context).zones.iter().filter(|(id, _)| **id >= marker).collect();
    zones.sort_by_key(|(id, _)| id.as_str());
    let mut answer = json!({
        "HostedZones": {"HostedZone": zones.iter().take(size).map(|(id, zone)| shape(id, zone)).collect::<Vec<_>>()},
        "Marker": marker, "IsTruncated": zones.len() > size, "MaxItems": size.to_string(),
    });
    if let Some((next, _)) = zones.get(size) {
        answer["NextMarker"] = json!(next);
    }
    Ok(answer)
}

pub(super) fn by_name(input: &Rest, context: &mut Context<'_>) -> Answer {
    let size = size(input, "maxitems", 100)?;
    let from = input.query.get("dnsname").map(|name| reversed(&absolute(name))).unwrap_or_default();
    let mut zones: Vec<(&String, &Zone)> = here(context).zones.iter().collect();
    zones.sort_by_key(|(id, zone)| (reversed(&zone.name), (*id).clone()));
    zones.retain(|(_, zone)| reversed(&zone.name) >= from);
    let mut answer = json!({
        "HostedZones": {"HostedZone": zones.iter().take(size).map(|(id, zone)| shape(id, zone)).collect::<Vec<_>>()},
        "IsTruncated": zones.len() > size, "MaxItems": size.to_string(),
    });
    if let Some(name) = input.query.get("dnsname") {
        answer["DNSName"] = json!(absolute(name));
    }
    if let Some((id, zone)) = zones.get(size) {
        answer["NextDNSName"] = json!(zone.name);
        answer["NextHostedZoneId"] = json!(id);
    }
    Ok(answer)
}

pub(super) fn delete(input: &Rest, context: &mut Context<'_>) -> Answer {
    let zone = here(context).zones.get(&input.id).ok_or_else(|| no_zone(&input.id))?;
    if zone.records.iter().any(|record| record.name != zone.name || !matches!(record.kind.as_str(), "NS" | "SOA")) {
        let message = "The specified hosted zone contains non-required resource record sets and so cannot be deleted.";
        return Err(ApiError::new("HostedZoneNotEmpty", message));
    }
    here(context).zones.remove(&input.id);
    Ok(json!({"ChangeInfo": begun(context)}))
}

/// The order of names in Route 53: by labels from the right.
pub(super) fn reversed(name: &str) -> Vec<String> {
    name.trim_end_matches('.').rsplit('.').map(str::to_owned).collect()
}

fn shape(id: &str, zone: &Zone) -> Value {
    let mut shape = json!({
        "Id": format!("/hostedzone/{id}"), "Name": zone.name, "CallerReference": zone.caller_reference,
        "Config": {"PrivateZone": zone.private}, "ResourceRecordSetCount": zone.records.len(),
    });
    if let Some((principal, arn)) = &zone.managed_by {
        shape["LinkedService"] = json!({"ServicePrincipal": principal, "Description": format!("managed through {arn}")});
    }
    shape
}
