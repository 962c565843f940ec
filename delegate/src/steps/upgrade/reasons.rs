//! Why a task stopped, sorted by what it means: some reasons can't heal by trying again, some may, and some are no failure at all.

use crate::aws::model::Task;

/// What a stopped task says of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Somebody wanted fewer tasks.
    OnPurpose,
    /// AWS's own trouble, or the network's: the next try may go well.
    Passing,
    /// The version's own: it may be an accident once.
    Own,
    /// The next try finds the same: what is missing does not appear by itself.
    Certain(&'static str),
}

/// What can't heal, in the words AWS uses for it (lower case), with what to do. The first that fits is taken.
const CERTAIN: [(&[&str], &str); 6] = [
    (
        &["accessdenied", "access denied", "is not authorized to perform", "unable to assume the role", "unable to assume role"],
        "Give the task's execution role that permission (AWS's message names it) and let ecs-tasks.amazonaws.com assume it.",
    ),
    (
        &["can't find the specified secret", "parameternotfound", "invalid ssm parameters", "did not contain json key"],
        "Create the secret or parameter in this region and account, or correct its name in the task definition.",
    ),
    (
        &[
            "manifest unknown",
            "image not found",
            ": not found",
            "does not exist",
            "repository not found",
            "manifest does not contain",
        ],
        "Push the image, or correct its name, tag and platform; then deploy again.",
    ),
    (
        &["pull access denied", "no basic auth credentials", "requires 'docker login'"],
        "Give the execution role the right to pull, or the task definition credentials for the registry.",
    ),
    (
        &["executable file not found", "exec format error", "no such file or directory"],
        "Correct the container's command, entry point or CPU architecture.",
    ),
    (&["specified log group does not exist"], "Create the log group, or let the awslogs driver create it."),
];

/// What may be over at the next try (lower case).
const PASSING: [&str; 12] = [
    "timeout",
    "timed out",
    "toomanyrequests",
    "rate exceeded",
    "throttl",
    "connection reset",
    "connection refused",
    "capacity is unavailable",
    "internalerror",
    "spotinterruption",
    "host ec2",
    "unexpected eof",
];

/// What its end means.
pub(super) fn meaning(task: &Task) -> Meaning {
    let stopped = task.stopped_reason.as_deref().unwrap_or_default();
    if stopped.starts_with("Scaling activity initiated by") || task.stop_code.as_deref() == Some("UserInitiated") {
        return Meaning::OnPurpose;
    }
    // A container that ran says what it likes; only before it ran are these AWS's words.
    let ran = task.containers.iter().any(|container| container.exit_code.is_some_and(|code| code < 125));
    let said = told(task).to_ascii_lowercase();
    let has = |words: &&str| said.contains(*words);
    if !ran
        && !PASSING.iter().any(has)
        && let Some((_, advice)) = CERTAIN.iter().find(|(words, _)| words.iter().any(has))
    {
        return Meaning::Certain(advice);
    }
    let elb = stopped.starts_with("Task failed ELB health checks") || stopped.starts_with("Task failed container health checks");
    if !elb && !ran && PASSING.iter().any(has) { Meaning::Passing } else { Meaning::Own }
}

/// Whether an event says what no further try changes: the permission or the role is missing. Gives the advice.
pub(super) fn certain_event(message: &str) -> Option<&'static str> {
    let said = message.to_ascii_lowercase();
    let (words, advice) = CERTAIN[0];
    words.iter().any(|words| said.contains(words)).then_some(advice)
}

/// Why a task stopped, in AWS's words.
pub(super) fn told(task: &Task) -> String {
    let given = task.stopped_reason.clone().or_else(|| task.stop_code.clone());
    let mut parts = vec![given.unwrap_or_else(|| "no reason given".into())];
    for container in &task.containers {
        match (container.exit_code, &container.reason) {
            (Some(0) | None, None) => {}
            (Some(code), None) => parts.push(format!("container {} exited with code {code}", container.name)),
            (Some(code), Some(reason)) => parts.push(format!("container {} exited with code {code}: {reason}", container.name)),
            (None, Some(reason)) => parts.push(format!("container {}: {reason}", container.name)),
        }
    }
    parts.join("; ")
}

/// The same for texts that differ only in ids, addresses and times: two tasks that stopped for one reason.
pub(super) fn sort(text: &str) -> String {
    let varies = |word: &str| {
        word.len() >= 7
            && word.chars().any(|c| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_hexdigit() || "-.:/".contains(c))
    };
    let words = text.split(|c: char| c.is_whitespace() || "(),;'\"[]".contains(c)).filter(|word| !word.is_empty());
    words.map(|word| if varies(word) { "#" } else { word }).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::model::TaskContainer;

    fn stopped(reason: &str) -> Task {
        Task { stopped_reason: Some(reason.into()), ..Task::default() }
    }

    #[test]
    fn what_is_missing_is_certain_and_what_is_slow_is_not() {
        for reason in [
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref docker.io/x/y:9: docker.io/x/y:9: not found",
            "CannotPullContainerError: Error response from daemon: manifest unknown: Requested image not found",
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
            "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: User: arn:x is not authorized to perform: secretsmanager:GetSecretValue",
            "CannotStartContainerError: exec: \"/app\": stat /app: no such file or directory",
        ] {
            assert!(matches!(meaning(&stopped(reason)), Meaning::Certain(_)), "{reason}");
        }
        for reason in [
            "CannotPullContainerError: failed to resolve ref: dial tcp 1.2.3.4:443: i/o timeout",
            "CannotPullContainerError: toomanyrequests: You have reached your pull rate limit: access denied",
            "InternalError: something",
        ] {
            assert_eq!(meaning(&stopped(reason)), Meaning::Passing, "{reason}");
        }
        assert_eq!(meaning(&stopped("Task failed ELB health checks in (target-group x)")), Meaning::Own);
        assert_eq!(meaning(&stopped("Scaling activity initiated by (deployment ecs-svc/1)")), Meaning::OnPurpose);
    }

    #[test]
    fn what_a_container_says_after_it_ran_proves_nothing() {
        let container = TaskContainer { name: "app".into(), exit_code: Some(1), reason: Some("access denied".into()) };
        assert_eq!(meaning(&Task { containers: vec![container], ..stopped("Essential container in task exited") }), Meaning::Own);
    }

    #[test]
    fn ids_and_addresses_do_not_make_another_reason() {
        let of = |id: &str, ip: &str| sort(&format!("ResourceInitializationError: request id: {id}, dial tcp {ip}: i/o timeout"));
        assert_eq!(
            of("6a3c1b00-11aa-4b4b-9999-000000000001", "10.0.0.7:443"),
            of("7a3c1b00-11aa-4b4b-9999-000000000002", "10.0.0.8:443")
        );
        assert_ne!(sort("container app exited with code 1"), sort("container app exited with code 2"));
    }
}
