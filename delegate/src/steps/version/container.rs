//! Which container of the task definition the load balancer talks to, and on which port.

use domain::step::NewVersion;
use serde_json::Value;

use crate::aws::model::TargetGroup;

/// A container and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct ContainerPort {
    pub(in super::super) container: String,
    pub(in super::super) port: u16,
}

/// The container definitions of the user's document.
pub(in super::super) fn containers(task_definition: &Value) -> &[Value] {
    task_definition["containerDefinitions"].as_array().map_or(&[], Vec::as_slice)
}

fn name(container: &Value) -> &str {
    container["name"].as_str().unwrap_or_default()
}

fn ports(container: &Value) -> impl Iterator<Item = u16> + '_ {
    let mappings = container["portMappings"].as_array().into_iter().flatten();
    mappings.filter_map(|mapping| mapping["containerPort"].as_u64().and_then(|port| u16::try_from(port).ok()))
}

/// Chooses: what the user named, else the one container that maps the target group's port.
///
/// # Errors
/// A sentence when it can't be told.
pub(in super::super) fn choose(
    task_definition: &Value,
    target_container: Option<&str>,
    target_port: Option<u16>,
    group: &TargetGroup,
) -> Result<ContainerPort, String> {
    let containers = containers(task_definition);
    let (container, port) = match (target_container, target_port) {
        (Some(container), Some(port)) => (container, port),
        (None, None) => return by_port(containers, group),
        _ => return Err("Target container and target port have to be given both or neither.".into()),
    };
    named(containers, container, port)
}

fn named(containers: &[Value], container: &str, port: u16) -> Result<ContainerPort, String> {
    let Some(found) = containers.iter().find(|candidate| name(candidate) == container) else {
        let names: Vec<_> = containers.iter().map(name).collect();
        return Err(format!(
            "The task definition has no container {container}, the target container; it has: {}.",
            names.join(", ")
        ));
    };
    if ports(found).any(|mapped| mapped == port) {
        return Ok(ContainerPort { container: container.to_owned(), port });
    }
    let mapped: Vec<_> = ports(found).map(|port| port.to_string()).collect();
    let mapped = if mapped.is_empty() { "none".to_owned() } else { mapped.join(", ") };
    Err(format!("The container {container} has no port mapping for the target port {port}; its container ports: {mapped}."))
}

/// The container with this name, which has to map this port.
///
/// # Errors
/// A sentence when there is none.
pub(in super::super) fn named_container(version: &NewVersion, wanted: &str, port: u16) -> Result<(), String> {
    let [only] = containers(&version.task_definition) else {
        return named(containers(&version.task_definition), wanted, port).map(drop);
    };
    // A single container without a name gets the artifact's, see the task definition's request.
    if only.get("name").is_none() && wanted == version.container_name && ports(only).any(|mapped| mapped == port) {
        return Ok(());
    }
    named(std::slice::from_ref(only), wanted, port).map(drop)
}

fn by_port(containers: &[Value], group: &TargetGroup) -> Result<ContainerPort, String> {
    let Some(port) = group.port else {
        return Err(format!("The target group {} has no port; it can't be used for ECS tasks.", group.arn));
    };
    let matching: Vec<&str> =
        containers.iter().filter(|container| ports(container).any(|mapped| mapped == port)).map(name).collect();
    match matching.as_slice() {
        [container] => Ok(ContainerPort { container: (*container).to_owned(), port }),
        // The words of the reference.
        [] => Err(format!(
            "No container definition has port mapping that matches the target port: {port} for target group: {}",
            group.arn
        )),
        several => Err(format!(
            "The containers {} all have a port mapping for port {port} of target group {}; name one as targetContainer in the \
             setup step, with its targetPort.",
            several.join(", "),
            group.arn
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn group(port: u16) -> TargetGroup {
        TargetGroup {
            name: "target1".into(),
            arn: "arn:tg/target1".into(),
            port: Some(port),
            protocol: "HTTP".into(),
            vpc: "vpc-1".into(),
            target_type: "ip".into(),
            load_balancers: Vec::new(),
            health_check_interval_seconds: 30,
        }
    }

    fn document() -> Value {
        json!({"containerDefinitions": [
            {"name": "app", "portMappings": [{"containerPort": 8080}, {"containerPort": 9090}]},
            {"name": "sidecar", "portMappings": [{"containerPort": 9090}]},
            {"name": "worker"},
        ]})
    }

    #[test]
    fn the_one_container_with_the_groups_port_is_chosen() {
        assert_eq!(choose(&document(), None, None, &group(8080)), Ok(ContainerPort { container: "app".into(), port: 8080 }));
        assert_eq!(
            choose(&document(), None, None, &group(80)),
            Err("No container definition has port mapping that matches the target port: 80 for target group: arn:tg/target1"
                .into())
        );
        assert!(
            choose(&document(), None, None, &group(9090)).expect_err("two").starts_with("The containers app, sidecar all have")
        );
    }

    #[test]
    fn what_the_user_names_has_to_exist() {
        let chosen = choose(&document(), Some("sidecar"), Some(9090), &group(80));
        assert_eq!(chosen, Ok(ContainerPort { container: "sidecar".into(), port: 9090 }));
        let wrong = choose(&document(), Some("web"), Some(80), &group(80)).expect_err("no such container");
        assert!(wrong.contains("no container web") && wrong.ends_with("app, sidecar, worker."), "{wrong}");
        let wrong = choose(&document(), Some("worker"), Some(80), &group(80)).expect_err("no such port");
        assert!(wrong.ends_with("its container ports: none."), "{wrong}");
        assert!(choose(&document(), Some("app"), None, &group(80)).is_err());
    }
}
