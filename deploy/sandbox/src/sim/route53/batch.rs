//! A batch of changes: all of them or none, and what Route 53 refuses, in its words.

use serde_json::{Value, json};

use super::{
    api::{Answer, Rest, here, invalid, no_zone},
    records::place,
    state::{Record, absolute},
    zones::{begun, in_sync_at},
};
use crate::sim::{context::Context, error::ApiError};

pub(super) fn change(input: &Rest, context: &mut Context<'_>) -> Answer {
    let zone = here(context).zones.get(&input.id).ok_or_else(|| no_zone(&input.id))?;
    if let Some((_, arn)) = &zone.managed_by {
        let message = format!("The resource hostedzone/{} can only be managed through AWS Cloud Map ({arn})", input.id);
        return Err(ApiError::new("AccessDenied", message).status(403));
    }
    let changes = input.body.get("ChangeBatch").and_then(|batch| batch["Changes"]["Change"].as_array().cloned());
    let changes = changes.filter(|changes| !changes.is_empty()).ok_or_else(|| invalid("ChangeBatch has no changes"))?;
    let mut records = zone.records.clone();
    let mut refused = Vec::new();
    for change in &changes {
        let record = read(&change["ResourceRecordSet"])?;
        let action = change["Action"].as_str().unwrap_or_default();
        if let Err(message) = apply(&mut records, &zone.name, action, record) {
            refused.push(message);
        }
    }
    if !refused.is_empty() {
        return Err(ApiError::new("InvalidChangeBatch", format!("[{}]", refused.join(", "))));
    }
    records.sort_by_key(place);
    let told = begun(context);
    let (now, from) = (context.clock.now(), in_sync_at(&told, context));
    if let Some(zone) = here(context).zones.get_mut(&input.id) {
        zone.publish(now, from, records);
    }
    Ok(json!({ "ChangeInfo": told }))
}

/// A record set of the request. Its members are texts, as they stand in the XML.
fn read(set: &Value) -> Result<Record, ApiError> {
    let text = |name: &str| set[name].as_str().filter(|text| !text.is_empty());
    let (Some(name), Some(kind)) = (text("Name"), text("Type")) else { return Err(invalid("Name and Type are required")) };
    let weight = match text("Weight") {
        None => None,
        Some(weight) => Some(weight.parse().map_err(|_| invalid("Weight must be a number from 0 to 255"))?),
    };
    let set_identifier = text("SetIdentifier").map(str::to_owned);
    if weight.is_some() && set_identifier.is_none() {
        return Err(invalid("Invalid request: Missing field 'SetIdentifier' in Change with [Action=CREATE]"));
    }
    let values: Vec<String> = set["ResourceRecords"]["ResourceRecord"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|record| record["Value"].as_str().map(str::to_owned))
        .collect();
    let ttl = text("TTL").map(str::parse).transpose().map_err(|_| invalid("TTL must be a number"))?;
    if values.is_empty() || ttl.is_none() {
        return Err(invalid(
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none",
        ));
    }
    if kind == "CNAME" && values.len() > 1 {
        return Err(invalid("CNAME records have one value"));
    }
    Ok(Record {
        name: absolute(name),
        kind: kind.to_owned(),
        set_identifier,
        weight,
        ttl: ttl.unwrap_or_default(),
        values,
        health_check: text("HealthCheckId").map(str::to_owned),
    })
}

fn apply(records: &mut Vec<Record>, zone: &str, action: &str, wanted: Record) -> Result<(), String> {
    let Record { name, kind, .. } = &wanted;
    if name != zone && !name.ends_with(&format!(".{zone}")) {
        return Err(format!("RRSet with DNS name {name} is not permitted in zone {zone}"));
    }
    if kind == "CNAME" && name == zone {
        return Err(format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"));
    }
    let named = match &wanted.set_identifier {
        Some(identifier) => format!("[name='{name}', type='{kind}', set identifier='{identifier}']"),
        None => format!("[name='{name}', type='{kind}']"),
    };
    let same = |known: &Record| known.name == *name && known.kind == *kind && known.set_identifier == wanted.set_identifier;
    let known = records.iter().position(same);
    match (action, known) {
        ("DELETE", None) => return Err(format!("Tried to delete resource record set {named} but it was not found")),
        ("DELETE", Some(at)) => {
            if records[at] != wanted {
                let why = "but the values provided do not match the current values";
                return Err(format!("Tried to delete resource record set {named} {why}"));
            }
            records.remove(at);
            return Ok(());
        }
        ("CREATE", Some(_)) => return Err(format!("Tried to create resource record set {named} but it already exists")),
        ("CREATE" | "UPSERT", _) => {}
        (other, _) => return Err(format!("Invalid action {other}")),
    }
    let others = || records.iter().enumerate().filter(|(at, _)| Some(*at) != known).map(|(_, record)| record);
    if others().any(|other| other.name == *name && other.kind != *kind && (kind == "CNAME" || other.kind == "CNAME")) {
        return Err(format!(
            "RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with the same DNS name in \
             zone {zone}."
        ));
    }
    let twins = || others().filter(|other| other.name == *name && other.kind == *kind);
    if twins().any(|twin| twin.weight.is_some() != wanted.weight.is_some()) {
        let (what, there) = if wanted.weight.is_some() { ("weighted", "non-weighted") } else { ("non-weighted", "weighted") };
        let identifier = wanted.set_identifier.as_deref().unwrap_or_default();
        return Err(format!(
            "RRSet with DNS name {name}, type {kind}, SetIdentifier {identifier} cannot be created as a {there} set exists with the same \
             name and type ({what})."
        ));
    }
    // The guide: records of one name and type have one TTL; the last that is set is everyone's.
    let (name, kind, ttl) = (name.clone(), kind.clone(), wanted.ttl);
    match known {
        Some(at) => records[at] = wanted,
        None => records.push(wanted),
    }
    for record in records.iter_mut().filter(|record| record.weight.is_some() && record.name == name && record.kind == kind) {
        record.ttl = ttl;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighted(identifier: &str, weight: u8) -> Record {
        Record {
            name: "app.example.com.".into(),
            kind: "CNAME".into(),
            set_identifier: Some(identifier.into()),
            weight: Some(weight),
            ttl: 60,
            values: vec!["one.ns".into()],
            health_check: None,
        }
    }

    fn simple(kind: &str) -> Record {
        Record { set_identifier: None, weight: None, kind: kind.into(), ..weighted("", 0) }
    }

    #[test]
    fn what_route_53_refuses() {
        let zone = "example.com.";
        let refusal = |records: &[Record], action: &str, record: Record| {
            let mut records = records.to_vec();
            apply(&mut records, zone, action, record).expect_err("refused")
        };
        let blue = weighted("Blue", 1);
        let there = [blue.clone()];
        assert!(refusal(&there, "CREATE", blue.clone()).contains("set identifier='Blue'] but it already exists"));
        assert!(refusal(&there, "DELETE", weighted("Blue", 2)).ends_with("do not match the current values"));
        assert!(refusal(&[], "DELETE", blue.clone()).ends_with("but it was not found"));
        assert!(refusal(&there, "CREATE", simple("A")).contains("is not permitted as it conflicts"));
        assert!(refusal(&[simple("CNAME")], "CREATE", blue.clone()).contains("a non-weighted set exists"));
        let outside = Record { name: "app.example.org.".into(), ..blue.clone() };
        assert!(refusal(&[], "CREATE", outside).contains("is not permitted in zone example.com."));
        let apex = Record { name: zone.into(), ..blue };
        assert!(refusal(&[], "CREATE", apex).contains("at apex"));
    }

    #[test]
    fn one_name_has_one_ttl() {
        let mut records = vec![weighted("Blue", 1)];
        apply(&mut records, "example.com.", "UPSERT", Record { ttl: 5, ..weighted("Green", 0) }).expect("taken");
        assert_eq!(records.iter().map(|record| record.ttl).collect::<Vec<_>>(), [5, 5]);
    }
}
