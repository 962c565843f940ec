//! The `CreateService` request: the user's document, whole, with what the step decides merged into it.

use domain::{
    ids::DeploymentId,
    infrastructure::InfrastructureSpec,
    step::{NewVersion, RoutePair, ServiceRegistry},
    task::TaskKey,
};
use serde_json::{Value, json};

use super::super::markers;

/// Where the service's tasks are found.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Entrance<'a> {
    /// In the new target group of each pair.
    TargetGroups(&'a [RoutePair]),
    /// In a Cloud Map service.
    Registry(&'a ServiceRegistry),
}

/// What the step decides.
pub(super) struct Decided<'a> {
    pub(super) task: TaskKey,
    pub(super) service: &'a str,
    pub(super) task_definition: &'a str,
    pub(super) entrance: Entrance<'a>,
    pub(super) network_mode: &'a str,
}

/// Members that the step sets whatever the user wrote.
const OURS: [&str; 5] = ["serviceName", "cluster", "taskDefinition", "desiredCount", "clientToken"];

/// The request.
pub(super) fn request(version: &NewVersion, infra: &InfrastructureSpec, decided: &Decided<'_>) -> Value {
    let mut document = if version.service_definition.is_object() { version.service_definition.clone() } else { json!({}) };
    document["serviceName"] = json!(decided.service);
    document["cluster"] = json!(infra.cluster);
    document["taskDefinition"] = json!(decided.task_definition);
    document["desiredCount"] = json!(0);
    document["clientToken"] = json!(client_token(decided.task));
    match decided.entrance {
        Entrance::TargetGroups(pairs) => {
            document["loadBalancers"] = load_balancers(document.get("loadBalancers"), pairs);
        }
        // ECS takes one registry only.
        Entrance::Registry(registry) => document["serviceRegistries"] = json!([registry]),
    }
    if let Some(role) = &version.role {
        document["role"] = json!(role);
    }
    if let Some(launch_type) = infra.launch_type {
        // AWS refuses both at once; what the user wrote is more particular.
        if document.get("launchType").is_none() && document.get("capacityProviderStrategy").is_none() {
            document["launchType"] = json!(launch_type.as_str());
        }
    }
    if decided.network_mode == "awsvpc" && document.get("networkConfiguration").is_none() && !infra.subnets.is_empty() {
        let mut vpc = json!({
            "subnets": infra.subnets,
            "assignPublicIp": if infra.assign_public_ip { "ENABLED" } else { "DISABLED" },
        });
        if !infra.security_groups.is_empty() {
            vpc["securityGroups"] = json!(infra.security_groups);
        }
        document["networkConfiguration"] = json!({ "awsvpcConfiguration": vpc });
    }
    let made_by = decided.task.deployment.to_string();
    let tags = [(markers::BG_VERSION, markers::GREEN), (markers::DEPLOYMENT, made_by.as_str())];
    document["tags"] = markers::merged(document.get("tags"), &tags);
    document
}

/// The user's entries for other target groups stay; those that are swapped are the step's.
fn load_balancers(users: Option<&Value>, pairs: &[RoutePair]) -> Value {
    let mut entries: Vec<Value> = Vec::new();
    for pair in pairs {
        let entry = json!({
            "targetGroupArn": pair.new_target_group,
            "containerName": pair.container,
            "containerPort": pair.container_port,
        });
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    let swapped = |group: &str| pairs.iter().any(|pair| group == pair.new_target_group || group == pair.old_target_group);
    let others = users.and_then(Value::as_array).into_iter().flatten();
    entries.extend(others.filter(|entry| !swapped(entry["targetGroupArn"].as_str().unwrap_or_default())).cloned());
    Value::Array(entries)
}

/// What the user's document says and the step decides otherwise, a sentence each.
pub(in super::super) fn overruled(version: &NewVersion) -> Vec<String> {
    let mut said: Vec<String> = OURS
        .into_iter()
        .filter(|key| version.service_definition.get(*key).is_some())
        .map(|key| format!("The service definition's {key} is not used: the step decides it."))
        .collect();
    if version.task_definition["family"].as_str().is_some_and(|family| family != version.family) {
        said.push(format!("The task definition's family is not used: the line's is {}.", version.family));
    }
    said
}

/// At most 36 ASCII characters, the same for every attempt of the step: AWS takes the second request for the first.
fn client_token(task: TaskKey) -> String {
    token(task.deployment, task.step)
}

fn token(deployment: DeploymentId, step: u32) -> String {
    let digits = deployment.uuid().simple().to_string();
    // A deployment has far fewer than 4096 steps; should it have more, they still differ from their neighbours.
    format!("{digits}-{:03x}", step % 4096)
}

#[cfg(test)]
mod tests {
    use domain::{infrastructure::LaunchType, step::Route, task::Direction};

    use super::{super::task_definition::tests::*, *};

    fn infra() -> InfrastructureSpec {
        InfrastructureSpec {
            name: "prod".into(),
            region: "eu-west-1".into(),
            cluster: "docs-ecs".into(),
            launch_type: Some(LaunchType::Fargate),
            vpc: None,
            subnets: vec!["subnet-1".into()],
            security_groups: vec!["sg-1".into()],
            assign_public_ip: false,
            execution_role: None,
            assume_role: None,
            delegate_selectors: Vec::new(),
        }
    }

    fn made(service_definition: Value) -> Value {
        let route = |port| Route { listener: format!("arn:listener/{port}"), port, protocol: "HTTP".into(), rule: None };
        let pair = RoutePair {
            load_balancer: "arn:lb".into(),
            load_balancer_name: "shop".into(),
            load_balancer_dns: "shop.elb".into(),
            prod: route(80),
            stage: route(8080),
            new_target_group: "arn:tg/stage".into(),
            old_target_group: "arn:tg/prod".into(),
            container: "app".into(),
            container_port: 8080,
        };
        // HTTP and HTTPS of one load balancer share their groups: ECS gets them once.
        let pairs = [pair.clone(), pair];
        let decided = Decided {
            task: TaskKey { deployment: deployment(), step: 3, direction: Direction::Perform, attempt: 7 },
            service: "shop__todo__prod__18",
            task_definition: "arn:td:18",
            entrance: Entrance::TargetGroups(&pairs),
            network_mode: "awsvpc",
        };
        request(&input(json!({}), service_definition), &infra(), &decided)
    }

    #[test]
    fn an_empty_document_becomes_a_whole_request() {
        assert_eq!(
            made(json!({})),
            json!({
                "serviceName": "shop__todo__prod__18", "cluster": "docs-ecs", "taskDefinition": "arn:td:18", "desiredCount": 0,
                "clientToken": "00000000000000000000000000000abc-003", "launchType": "FARGATE",
                "loadBalancers": [{"targetGroupArn": "arn:tg/stage", "containerName": "app", "containerPort": 8080}],
                "networkConfiguration": {"awsvpcConfiguration": {
                    "subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}},
                "tags": [{"key": "BG_VERSION", "value": "GREEN"},
                    {"key": "segue:deployment", "value": "dep_00000000000000000000000000000abc"}],
            })
        );
    }

    #[test]
    fn the_users_own_settings_stay() {
        let made = made(json!({
            "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-9"]}},
            "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": false}},
            "loadBalancers": [{"targetGroupArn": "arn:tg/prod"}, {"targetGroupArn": "arn:tg/internal", "containerPort": 9}],
            "memberOfTomorrow": 1.5, "desiredCount": 7,
        }));
        assert_eq!(made.get("launchType"), None);
        assert_eq!(made["networkConfiguration"]["awsvpcConfiguration"], json!({"subnets": ["subnet-9"]}));
        assert_eq!(made["deploymentConfiguration"]["deploymentCircuitBreaker"]["enable"], json!(true));
        assert_eq!(made["loadBalancers"].as_array().map(Vec::len), Some(2));
        assert_eq!(made["loadBalancers"][1], json!({"targetGroupArn": "arn:tg/internal", "containerPort": 9}));
        assert_eq!((&made["memberOfTomorrow"], &made["desiredCount"]), (&json!(1.5), &json!(0)));
    }

    #[test]
    fn the_token_is_short_and_the_attempt_is_not_in_it() {
        let tokens: Vec<_> = [0, 3, 4095].into_iter().map(|step| token(deployment(), step)).collect();
        assert!(tokens.iter().all(|token| token.len() == 36 && token.is_ascii()), "{tokens:?}");
        assert_eq!(overruled(&input(json!({"family": "x"}), json!({"desiredCount": 7}))).len(), 2);
    }
}
