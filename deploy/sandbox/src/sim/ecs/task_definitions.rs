//! Task definitions: every registration is a new revision.

use serde_json::{Value, json};

use super::{
    api::{Answer, Input, client, invalid, page, required, text, wants_tags},
    conduct::Conduct,
    fargate,
    state::{TaskDefinition, parse_task_definition, tags_json},
    tags,
};
use crate::sim::{context::Context, error::ApiError};

pub(super) fn register(input: &Input, context: &mut Context<'_>) -> Answer {
    let family = text(input, "family").ok_or_else(|| client("Family should not be null or empty."))?.to_owned();
    if family.len() > 255 || !family.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(client("Family contains invalid characters."));
    }
    let containers = input.get("containerDefinitions").and_then(Value::as_array).cloned().unwrap_or_default();
    if containers.is_empty() {
        return Err(client("Container list cannot be empty."));
    }
    let task_memory = input.get("memory").is_some();
    for container in &containers {
        let name = container["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            return Err(client("Container.name should not be null or empty."));
        }
        if container["image"].as_str().unwrap_or_default().is_empty() {
            return Err(client("Container.image should not be null or empty."));
        }
        Conduct::of(container).map_err(client)?;
        if !task_memory && container.get("memory").is_none() && container.get("memoryReservation").is_none() {
            let text = format!(
                "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
            );
            return Err(client(text));
        }
    }
    fargate::check(input)?;
    check_ports(input, &containers)?;
    let tags = tags::given(input)?;
    let mut document = input.clone();
    document.remove("tags");
    let registered_at = context.clock.epoch();
    let revisions = context.ecs.families.entry(family.clone()).or_default();
    revisions.push(TaskDefinition { document, status: "ACTIVE", registered_at, tags: tags.clone() });
    let revision = revisions.len();
    Ok(json!({"taskDefinition": shape(context, &family, revision), "tags": tags_json(&tags)}))
}

pub(super) fn describe(input: &Input, context: &mut Context<'_>) -> Answer {
    let (family, revision) = find(context, required(input, "taskDefinition")?)?;
    let tags = &context.ecs.families[&family][revision - 1].tags;
    let tags = if wants_tags(input) { tags_json(tags) } else { json!([]) };
    Ok(json!({"taskDefinition": shape(context, &family, revision), "tags": tags}))
}

pub(super) fn deregister(input: &Input, context: &mut Context<'_>) -> Answer {
    let named = required(input, "taskDefinition")?;
    let (family, revision) = parse_task_definition(named);
    let revision = revision.ok_or_else(|| client("Revision is missing."))?;
    let number: usize = revision.parse().map_err(|_| invalid(format!("Invalid revision number. Number: {revision}")))?;
    let definition = context.ecs.families.get_mut(&family).and_then(|revisions| revisions.get_mut(number.wrapping_sub(1)));
    let definition = definition.ok_or_else(|| client("Unable to describe task definition."))?;
    definition.status = "INACTIVE";
    Ok(json!({"taskDefinition": shape(context, &family, number)}))
}

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    let prefix = text(input, "familyPrefix");
    let status = text(input, "status").unwrap_or("ACTIVE");
    let mut arns = Vec::new();
    for (family, revisions) in &context.ecs.families {
        if prefix.is_some_and(|prefix| prefix != family) {
            continue;
        }
        for (index, definition) in revisions.iter().enumerate() {
            if definition.status == status {
                arns.push((family.clone(), index + 1));
            }
        }
    }
    if text(input, "sort") == Some("DESC") {
        arns.reverse();
    }
    let arns = arns.into_iter().map(|(family, revision)| arn(context, &family, revision)).collect();
    page(input, arns, 100, "taskDefinitionArns")
}

pub(super) fn families(input: &Input, context: &mut Context<'_>) -> Answer {
    let prefix = text(input, "familyPrefix").unwrap_or_default();
    let status = text(input, "status").unwrap_or("ACTIVE");
    let wanted =
        |revisions: &Vec<TaskDefinition>| status == "ALL" || revisions.iter().any(|definition| definition.status == status);
    let names = context.ecs.families.iter().filter(|(name, revisions)| name.starts_with(prefix) && wanted(revisions));
    page(input, names.map(|(name, _)| name.clone()).collect(), 100, "families")
}

/// The family and revision that a name means.
pub(super) fn find(context: &Context<'_>, named: &str) -> Result<(String, usize), ApiError> {
    let unknown = || client("Unable to describe task definition.");
    let (family, revision) = parse_task_definition(named);
    let revisions = context.ecs.families.get(&family).ok_or_else(unknown)?;
    let number = match revision {
        Some(revision) => revision.parse().map_err(|_| unknown())?,
        None => revisions.iter().rposition(|definition| definition.status == "ACTIVE").ok_or_else(unknown)? + 1,
    };
    if number == 0 || number > revisions.len() { Err(unknown()) } else { Ok((family, number)) }
}

/// The full ARN of a revision.
pub(super) fn arn(context: &Context<'_>, family: &str, revision: usize) -> String {
    context.arn("ecs", &format!("task-definition/{family}:{revision}"))
}

fn shape(context: &Context<'_>, family: &str, revision: usize) -> Value {
    let definition = &context.ecs.families[family][revision - 1];
    let mut shape = definition.document.clone();
    for container in shape.get_mut("containerDefinitions").and_then(Value::as_array_mut).into_iter().flatten() {
        fill_container(container, definition.document.get("networkMode").and_then(Value::as_str));
    }
    shape.insert("taskDefinitionArn".to_owned(), arn(context, family, revision).into());
    shape.insert("revision".to_owned(), revision.into());
    shape.insert("status".to_owned(), definition.status.into());
    shape.insert("registeredAt".to_owned(), definition.registered_at.into());
    shape.insert("registeredBy".to_owned(), format!("arn:aws:iam::{}:user/sandbox", context.account).into());
    shape.entry("volumes").or_insert_with(|| json!([]));
    shape.entry("placementConstraints").or_insert_with(|| json!([]));
    shape.insert("compatibilities".to_owned(), compatibilities(&definition.document).into());
    Value::Object(shape)
}

/// The launch types that a task definition can run on.
pub(super) fn compatibilities(document: &Input) -> Vec<&'static str> {
    let mut kinds = vec!["EC2"];
    if fargate::is_compatible(document) {
        kinds.push("FARGATE");
    }
    if document.get("networkMode").and_then(Value::as_str) != Some("awsvpc") {
        kinds.insert(0, "EXTERNAL");
    }
    kinds
}

fn check_ports(document: &Input, containers: &[Value]) -> Result<(), ApiError> {
    let awsvpc = document.get("networkMode").and_then(Value::as_str) == Some("awsvpc");
    let mappings = containers.iter().filter_map(|container| container["portMappings"].as_array()).flatten();
    for mapping in mappings {
        let host = mapping["hostPort"].as_u64().filter(|port| *port != 0);
        if awsvpc && host.is_some() && host != mapping["containerPort"].as_u64() {
            let text = "When networkMode=awsvpc, the host ports and container ports in port mappings must match.";
            return Err(client(text));
        }
    }
    Ok(())
}

/// The members that AWS adds to a container.
fn fill_container(container: &mut Value, network_mode: Option<&str>) {
    let Some(members) = container.as_object_mut() else { return };
    for (name, default) in [
        ("cpu", json!(0)),
        ("essential", json!(true)),
        ("environment", json!([])),
        ("mountPoints", json!([])),
        ("volumesFrom", json!([])),
    ] {
        members.entry(name).or_insert(default);
    }
    let mappings = members.entry("portMappings").or_insert_with(|| json!([]));
    for mapping in mappings.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        mapping.entry("protocol").or_insert_with(|| json!("tcp"));
        if network_mode == Some("awsvpc") {
            let port = mapping.get("containerPort").cloned().unwrap_or_default();
            mapping.entry("hostPort").or_insert(port);
        } else {
            mapping.entry("hostPort").or_insert_with(|| json!(0));
        }
    }
}
