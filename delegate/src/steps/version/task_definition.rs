//! The `RegisterTaskDefinition` request: the user's document, whole, with what the step decides merged into it.

use domain::{ids::DeploymentId, step::NewVersion};
use serde_json::{Value, json};

use super::super::markers;

/// The request. Placeholders are resolved already; a single container that names no image or has no name gets the artifact's.
pub(super) fn request(version: &NewVersion, deployment: DeploymentId) -> Value {
    let mut document = if version.task_definition.is_object() { version.task_definition.clone() } else { json!({}) };
    document["family"] = json!(version.family);
    document["tags"] = markers::merged(document.get("tags"), &[(markers::DEPLOYMENT, &deployment.to_string())]);
    if let Some([container]) = document.get_mut("containerDefinitions").and_then(Value::as_array_mut).map(Vec::as_mut_slice)
        && let Some(members) = container.as_object_mut()
    {
        members.entry("image").or_insert_with(|| json!(version.image));
        members.entry("name").or_insert_with(|| json!(version.container_name));
    }
    document
}

/// How the tasks' containers are networked; with nothing said it is `bridge`.
pub(in super::super) fn network_mode(document: &Value) -> &str {
    document["networkMode"].as_str().unwrap_or("bridge")
}

#[cfg(test)]
pub(super) mod tests {
    use domain::step::DesiredCount;
    use uuid::Uuid;

    use super::*;

    pub(in super::super) fn input(task_definition: Value, service_definition: Value) -> NewVersion {
        NewVersion {
            family: "shop__todo__prod".into(),
            image: "harness/todolist-sample:4".into(),
            container_name: "harness_todolist-sample_4".into(),
            task_definition,
            service_definition,
            desired: DesiredCount::Fixed(2),
            auto_scaling: None,
            role: None,
            steady_state_timeout_minutes: 10,
        }
    }

    pub(in super::super) fn deployment() -> DeploymentId {
        DeploymentId::new(Uuid::from_u128(0xabc))
    }

    #[test]
    fn nothing_the_user_wrote_is_dropped() {
        let users = json!({
            "family": "whatever", "networkMode": "awsvpc", "memberOfTomorrow": {"deep": [1, {"x": null}]},
            "containerDefinitions": [
                {"name": "app", "image": "a:1", "futureSetting": true, "portMappings": [{"containerPort": 80, "hostPort": 0}]},
                {"name": "log", "image": "b:1"},
            ],
            "tags": [{"key": "team", "value": "shop"}],
        });
        let mut expected = users.clone();
        expected["family"] = json!("shop__todo__prod");
        expected["tags"] = json!([
            {"key": "team", "value": "shop"},
            {"key": "segue:deployment", "value": "dep_00000000000000000000000000000abc"},
        ]);
        assert_eq!(request(&input(users, json!({})), deployment()), expected);
    }

    #[test]
    fn a_single_container_gets_the_artifact_where_it_says_nothing() {
        let made = request(&input(json!({"containerDefinitions": [{"memory": 128}]}), json!({})), deployment());
        assert_eq!(
            made["containerDefinitions"],
            json!([{"memory": 128, "image": "harness/todolist-sample:4", "name": "harness_todolist-sample_4"}])
        );
        assert_eq!(network_mode(&made), "bridge");
    }
}
