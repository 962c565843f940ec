//! Record sets, told in Route 53's order.

use serde_json::{Value, json};

use super::{
    api::{Answer, Rest, here, invalid, no_zone, size},
    state::{Record, absolute},
    zones::reversed,
};
use crate::sim::context::Context;

/// Where a record set stands in the order: by name (labels from the right), type, set identifier.
pub(super) type Place = (Vec<String>, String, String);

pub(super) fn place(record: &Record) -> Place {
    (reversed(&record.name), record.kind.clone(), record.set_identifier.clone().unwrap_or_default())
}

pub(super) fn list(input: &Rest, context: &mut Context<'_>) -> Answer {
    let size = size(input, "maxitems", 300)?;
    let query = |name: &str| input.query.get(name).cloned();
    let (name, kind, identifier) = (query("name"), query("type"), query("identifier"));
    if kind.is_some() && name.is_none() {
        return Err(invalid("The input is not valid: a type needs a name"));
    }
    let from: Place = (
        name.map(|name| reversed(&absolute(&name))).unwrap_or_default(),
        kind.unwrap_or_default(),
        identifier.unwrap_or_default(),
    );
    let zone = here(context).zones.get(&input.id).ok_or_else(|| no_zone(&input.id))?;
    let records: Vec<&Record> = zone.records.iter().filter(|record| place(record) >= from).collect();
    let mut answer = json!({
        "ResourceRecordSets": {"ResourceRecordSet": records.iter().take(size).map(|record| shape(record)).collect::<Vec<_>>()},
        "IsTruncated": records.len() > size, "MaxItems": size.to_string(),
    });
    if let Some(next) = records.get(size) {
        answer["NextRecordName"] = json!(next.name);
        answer["NextRecordType"] = json!(next.kind);
        answer["NextRecordIdentifier"] = json!(next.set_identifier);
    }
    Ok(answer)
}

fn shape(record: &Record) -> Value {
    json!({
        "Name": record.name, "Type": record.kind, "SetIdentifier": record.set_identifier, "Weight": record.weight,
        "TTL": record.ttl, "HealthCheckId": record.health_check,
        "ResourceRecords": {"ResourceRecord": record.values.iter().map(|value| json!({"Value": value})).collect::<Vec<_>>()},
    })
}
