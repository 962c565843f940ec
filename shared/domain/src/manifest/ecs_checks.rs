//! The least that ECS's documents must hold for a deployment to mean anything. The rest is AWS's to judge.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    ecs::{EcsDocument, found},
    fields::Findings,
    naming::shown,
    template::Wrong,
};
use crate::expression;

/// Names by which a container takes the image that is deployed.
const DEPLOYED: [&str; 3] = ["DOCKER_IMAGE_NAME", "artifact.image", "artifact.tag"];

/// Checks a task definition.
pub(super) fn task_definition(document: &EcsDocument, findings: &Findings<'_>) {
    let at = |pointer: &str, wrong: Wrong| findings.at(&document.place_of(findings.source(), pointer), wrong);
    let containers = match document.value.get("containerDefinitions") {
        Some(Value::Array(containers)) if !containers.is_empty() => containers,
        other => {
            let message = format!("\"containerDefinitions\" has to be a list of at least one container, found {}", found(other));
            return at("/containerDefinitions", Wrong::new(message));
        }
    };
    let mut names = BTreeSet::new();
    let mut deployed = false;
    for (index, container) in containers.iter().enumerate() {
        if findings.is_enough() {
            return;
        }
        let pointer = format!("/containerDefinitions/{index}");
        if !container.is_object() {
            at(&pointer, Wrong::new(format!("a container has to be a mapping, found {}", found(Some(container)))));
            continue;
        }
        match container.get("name") {
            Some(Value::String(name)) if !name.trim().is_empty() => {
                if !names.insert(name) {
                    let hint = "only one container can be named ${CONTAINER_NAME}, after the image";
                    let wrong = Wrong::new(format!("two containers are named {}", shown(name)));
                    at(&format!("{pointer}/name"), if name.contains("${") { wrong.hint(hint) } else { wrong });
                }
            }
            other => {
                let wrong = Wrong::new(format!("a container has to have a name, found {}", found(other)));
                at(&format!("{pointer}/name"), wrong.hint("${CONTAINER_NAME} is the image's name as a container name"));
            }
        }
        match container.get("image") {
            Some(Value::String(image)) if !image.trim().is_empty() => {
                deployed |= expression::names(image).iter().any(|name| DEPLOYED.contains(&name.as_str()));
            }
            other => {
                let wrong = Wrong::new(format!("a container has to have an image, found {}", found(other)));
                at(&format!("{pointer}/image"), wrong.hint("${DOCKER_IMAGE_NAME} is the image that is deployed"));
                // Told already: the image is what is missing.
                deployed = true;
            }
        }
    }
    if !deployed {
        let wrong = Wrong::new("no container runs the image that is deployed");
        at("/containerDefinitions", wrong.hint("write image: ${DOCKER_IMAGE_NAME} for the one that does"));
    }
}
