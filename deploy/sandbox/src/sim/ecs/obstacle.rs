//! What keeps a task from starting, in AWS's words: they are what a deployer has to explain a failure with.

use serde_json::Value;

/// What keeps a task from starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The registry has no such image.
    Missing,
    /// A secret that the task definition names is not there.
    NoSecret,
    /// The execution role may not read from the registry, or not a secret if there is one.
    NoPermission,
    /// There is no room for the task.
    NoCapacity,
}

/// Where and for what a task is to start.
pub(super) struct Place<'a> {
    /// The account, 12 digits.
    pub account: &'a str,
    /// The region.
    pub region: &'a str,
    /// Whether it is on Fargate.
    pub fargate: bool,
    /// Id of the task.
    pub task: &'a str,
    /// Id of AWS's own request that was refused.
    pub request: &'a str,
    /// The task definition.
    pub document: &'a serde_json::Map<String, Value>,
    /// The container's definition.
    pub container: &'a Value,
}

/// What AWS says of a task that did not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// The task's `stoppedReason`.
    pub task: String,
    /// The container's `reason`, if it has one.
    pub container: Option<String>,
}

impl Obstacle {
    /// The one that a user means.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "missing" => Some(Self::Missing),
            "no-secret" => Some(Self::NoSecret),
            "no-permission" => Some(Self::NoPermission),
            "no-capacity" => Some(Self::NoCapacity),
            _ => None,
        }
    }

    /// What AWS says of a task that it kept from starting; none: the task was never placed, and an event says so.
    pub(super) fn told(self, place: &Place<'_>) -> Option<Told> {
        let image = place.container["image"].as_str().unwrap_or_default();
        match self {
            Self::Missing if place.fargate => {
                let image = qualified(image);
                let text = format!(
                    "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {image}: \
                     not found"
                );
                Some(Told { task: text.clone(), container: Some(text) })
            }
            // On an instance, the agent tells only the container why.
            Self::Missing => Some(Told {
                task: "Task failed to start".to_owned(),
                container: Some(format!(
                    "CannotPullContainerError: Error response from daemon: manifest for {image} not found: manifest unknown: \
                     manifest unknown"
                )),
            }),
            Self::NoSecret => {
                let missing = "ResourceNotFoundException: Secrets Manager can't find the specified secret.";
                Some(unreadable_secret(&secret(place), missing))
            }
            Self::NoPermission => Some(not_allowed(place)),
            Self::NoCapacity => None,
        }
    }

    /// What a service's event says of a task that can't be placed.
    pub(super) fn unplaced(fargate: bool, instance: &str) -> String {
        if fargate {
            format!("was unable to place a task. Reason: {NO_FARGATE_CAPACITY}.")
        } else {
            format!(
                "was unable to place a task because no container instance met all of its requirements. The closest matching \
                 (container-instance {instance}) has insufficient memory available. For more information, see the Troubleshooting \
                 section of the Amazon ECS Developer Guide."
            )
        }
    }

    /// The reason of a `RunTask` failure for want of room.
    pub(super) fn unplaced_run(fargate: bool) -> &'static str {
        if fargate { NO_FARGATE_CAPACITY } else { "RESOURCE:MEMORY" }
    }
}

const NO_FARGATE_CAPACITY: &str =
    "Capacity is unavailable at this time. Please try again later or in a different availability zone";

/// The image's name as the container runtime writes it out.
fn qualified(image: &str) -> String {
    match image.split_once('/') {
        None => format!("docker.io/library/{image}"),
        Some((host, _)) if !host.contains(['.', ':']) && host != "localhost" => format!("docker.io/{image}"),
        Some(_) => image.to_owned(),
    }
}

/// The secret that is asked for: the first that the container names, or one that stands for it.
fn secret(place: &Place<'_>) -> String {
    named_secret(place).unwrap_or_else(|| {
        let name = place.container["name"].as_str().unwrap_or("web");
        format!("arn:aws:secretsmanager:{}:{}:secret:{name}", place.region, place.account)
    })
}

fn named_secret(place: &Place<'_>) -> Option<String> {
    Some(place.container["secrets"].as_array()?.first()?["valueFrom"].as_str()?.to_owned())
}

fn unreadable_secret(secret: &str, why: &str) -> Told {
    let text = format!(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve \
         secret from asm: service call has been retried 1 time(s): failed to fetch secret {secret} from secrets manager: {why}"
    );
    Told { task: text, container: None }
}

fn not_allowed(place: &Place<'_>) -> Told {
    let role = place.document.get("executionRoleArn").and_then(Value::as_str).and_then(|arn| arn.rsplit('/').next());
    let user = format!(
        "arn:aws:sts::{}:assumed-role/{}/{}",
        place.account,
        role.filter(|role| !role.is_empty()).unwrap_or("ecsTaskExecutionRole"),
        place.task
    );
    let denied = |action: &str, resource: &str| {
        format!(
            "AccessDeniedException: User: {user} is not authorized to perform: {action} on resource: {resource} because no \
             identity-based policy allows the {action} action status code: 400, request id: {}",
            place.request
        )
    };
    if let Some(secret) = named_secret(place) {
        return unreadable_secret(&secret, &denied("secretsmanager:GetSecretValue", &secret));
    }
    let text = format!(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve \
         ecr registry auth: service call has been retried 1 time(s): {}",
        denied("ecr:GetAuthorizationToken", "*")
    );
    Told { task: text, container: None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(obstacle: Obstacle, fargate: bool, container: &Value) -> Told {
        let document = json!({"executionRoleArn": "arn:aws:iam::123456789012:role/team/runner"});
        let Value::Object(document) = document else { unreachable!("an object") };
        let (account, region) = ("123456789012", "us-west-1");
        let place = Place { account, region, fargate, task: "t1", request: "r1", document: &document, container };
        obstacle.told(&place).expect("a task that was placed")
    }

    #[test]
    fn a_missing_image_is_told_as_fargate_and_as_the_agent_tell_it() {
        let container = json!({"name": "web", "image": "team/shop:7-missing"});
        let fargate = told(Obstacle::Missing, true, &container);
        assert_eq!(
            fargate.task,
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref \
             docker.io/team/shop:7-missing: docker.io/team/shop:7-missing: not found"
        );
        assert_eq!(fargate.container.as_ref(), Some(&fargate.task));
        let agent = told(Obstacle::Missing, false, &container);
        assert_eq!(agent.task, "Task failed to start");
        assert!(agent.container.is_some_and(|reason| reason.contains("manifest for team/shop:7-missing not found")));
    }

    #[test]
    fn a_secret_is_the_one_that_the_container_names() {
        let container = json!({"name": "web", "secrets": [{"name": "A", "valueFrom": "arn:aws:secretsmanager:r:1:secret:db-x"}]});
        let missing = told(Obstacle::NoSecret, true, &container).task;
        assert!(missing.ends_with(
            "failed to fetch secret arn:aws:secretsmanager:r:1:secret:db-x from secrets manager: ResourceNotFoundException: Secrets \
             Manager can't find the specified secret."
        ));
        let refused = told(Obstacle::NoPermission, true, &container).task;
        assert!(
            refused.contains("is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager")
        );
    }

    #[test]
    fn without_a_secret_it_is_the_registry_that_the_role_may_not_read() {
        let refused = told(Obstacle::NoPermission, true, &json!({"name": "web"})).task;
        assert!(refused.ends_with(
            "unable to retrieve ecr registry auth: service call has been retried 1 time(s): AccessDeniedException: User: \
             arn:aws:sts::123456789012:assumed-role/runner/t1 is not authorized to perform: ecr:GetAuthorizationToken on resource: * \
             because no identity-based policy allows the ecr:GetAuthorizationToken action status code: 400, request id: r1"
        ));
    }
}
