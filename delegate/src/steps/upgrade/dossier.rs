//! Gathering the evidence behind a start that failed: reads only, as much as a few seconds allow. What can't be had is a note in it,
//! never a failure of its own.

use std::{future::Future, time::Duration};

use domain::{
    failure::{Dossier, Failure, LastLines, SaidEvent, SickTarget, StoppedContainer, StoppedTask},
    step::SetupOutput,
};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{
    difference::difference,
    reasons::{Meaning, meaning},
};
use crate::{
    aws::{
        model::{Service, Target, Task, TaskState},
        ports::Aws,
        requests,
    },
    executor::StepContext,
};

/// All of it together may take so long.
const WITHIN: Duration = Duration::from_secs(5);
const MOST_TASKS: usize = 10;
const MOST_EVENTS: usize = 10;
const MOST_TARGETS: usize = 20;
/// Logs of so many containers, and so many lines of each.
const MOST_LOGS: usize = 3;
const MOST_LINES: u16 = 30;

/// The failure with what can be found out about it now.
pub(super) async fn attach(context: &StepContext, setup: &SetupOutput, since_ms: i64, mut failure: Failure) -> Failure {
    let Ok(aws) = context.aws() else { return failure };
    let mut dossier = gather(aws, setup, since_ms).await;
    dossier.requests = requests::latest();
    if !dossier.is_empty() {
        failure.dossier = Some(Box::new(dossier));
    }
    failure
}

/// One question within the time there is; its failure is a note.
async fn ask<T: Default>(until: Instant, what: &str, call: impl Future<Output = Result<T, Failure>>) -> (T, Option<String>) {
    match timeout_at(until, call).await {
        Ok(Ok(answer)) => (answer, None),
        Ok(Err(failure)) => (T::default(), Some(format!("{what}: {}", failure.message))),
        Err(_) => (T::default(), Some(format!("{what}: no answer within {} s.", WITHIN.as_secs()))),
    }
}

async fn gather(aws: &Aws, setup: &SetupOutput, since_ms: i64) -> Dossier {
    let until = Instant::now() + WITHIN;
    let names = [setup.service.clone()];
    let old_definition = async {
        match &setup.old {
            Some(old) => aws.ecs.task_definition_document(&old.task_definition).await.map(Some),
            None => Ok(None),
        }
    };
    // What is ill in one group is ill: the group with the most to say stands for all.
    let target_health = async {
        let groups = setup.traffic.new_target_groups();
        let looks = groups.iter().map(|group| aws.load_balancing.target_health(group));
        let seen = futures::future::try_join_all(looks).await?;
        let ill = |targets: &Vec<Target>| targets.iter().filter(|target| !target.is_healthy()).count();
        Ok(seen.into_iter().max_by_key(ill).unwrap_or_default())
    };
    let new_definition = async { aws.ecs.task_definition_document(&setup.task_definition).await.map(Some) };
    let (services, tasks, targets, old, new) = futures::join!(
        ask(until, "The service's events", aws.ecs.services(&setup.cluster, &names)),
        ask(until, "The stopped tasks", aws.ecs.tasks(&setup.cluster, &setup.service, TaskState::Stopped)),
        ask(until, "The targets' health", target_health),
        ask(until, "The old task definition", old_definition),
        ask(until, "The new task definition", new_definition),
    );
    let mut notes: Vec<String> = [services.1, tasks.1, targets.1, old.1, new.1].into_iter().flatten().collect();
    let mut stopped = tasks.0;
    stopped.retain(|task| task.created_at_ms.is_none_or(|at| at >= since_ms) && meaning(task) != Meaning::OnPurpose);
    stopped.sort_by_key(|task| std::cmp::Reverse(task.created_at_ms));
    let logs = match &new.0 {
        Some(definition) => last_lines(aws, definition, &stopped, until, &mut notes).await,
        None => Vec::new(),
    };
    Dossier {
        stopped_tasks: stopped.iter().take(MOST_TASKS).map(stopped_task).collect(),
        events: services.0.first().map(events).unwrap_or_default(),
        targets: targets.0.iter().filter(|target| !target.is_healthy()).take(MOST_TARGETS).map(sick_target).collect(),
        changes: old.0.zip(new.0).map(|(old, new)| difference(&old, &new)).unwrap_or_default(),
        logs,
        requests: Vec::new(),
        notes,
    }
}

fn stopped_task(task: &Task) -> StoppedTask {
    let containers = task.containers.iter().map(|container| StoppedContainer {
        name: container.name.clone(),
        exit_code: container.exit_code,
        reason: container.reason.clone(),
    });
    StoppedTask {
        id: task.id().to_owned(),
        stop_code: task.stop_code.clone(),
        stopped_reason: task.stopped_reason.clone(),
        containers: containers.collect(),
    }
}

fn events(service: &Service) -> Vec<SaidEvent> {
    let newest = service.events.iter().take(MOST_EVENTS);
    newest.map(|event| SaidEvent { at_ms: event.at_ms, message: event.message.clone() }).collect()
}

fn sick_target(target: &Target) -> SickTarget {
    SickTarget {
        target: target.port.map_or_else(|| target.id.clone(), |port| format!("{}:{port}", target.id)),
        state: target.state.clone(),
        reason: target.reason.clone(),
        description: target.description.clone(),
    }
}

/// Where a container's log is.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    group: String,
    stream: String,
    region: Option<String>,
}

/// The streams of the containers that stopped last, where they log to CloudWatch Logs with a stream prefix (without one the
/// stream's name is the runtime's id, which ECS does not tell).
fn places(definition: &Value, stopped: &[Task]) -> Vec<(String, String, Place)> {
    let place = |task: &Task, container: &str| {
        let written = definition["containerDefinitions"].as_array()?.iter().find(|one| one["name"] == container)?;
        let log = &written["logConfiguration"];
        let option = |name: &str| log["options"][name].as_str().map(str::to_owned);
        if log["logDriver"] != "awslogs" {
            return None;
        }
        let stream = format!("{}/{container}/{}", option("awslogs-stream-prefix")?, task.id());
        Some(Place { group: option("awslogs-group")?, stream, region: option("awslogs-region") })
    };
    let of_task = |task: &Task| {
        let ran = task.containers.iter().filter(|container| container.exit_code.is_some());
        ran.filter_map(|container| Some((task.id().to_owned(), container.name.clone(), place(task, &container.name)?)))
            .collect::<Vec<_>>()
    };
    stopped.iter().flat_map(of_task).take(MOST_LOGS).collect()
}

async fn last_lines(aws: &Aws, definition: &Value, stopped: &[Task], until: Instant, notes: &mut Vec<String>) -> Vec<LastLines> {
    let reads = places(definition, stopped).into_iter().map(|(task, container, place)| async move {
        let what = format!("The log of container {container} of task {task}");
        let read = aws.logs.last_lines(&place.group, &place.stream, place.region.as_deref(), MOST_LINES);
        let (lines, note) = ask(until, &what, read).await;
        (LastLines { task, container, group: place.group, stream: place.stream, lines }, note)
    });
    let mut logs = Vec::new();
    for (log, note) in futures::future::join_all(reads).await {
        match note {
            Some(note) => notes.push(note),
            None => logs.push(log),
        }
    }
    logs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::model::TaskContainer;

    #[test]
    fn the_stream_is_named_as_the_awslogs_driver_names_it() {
        let log = |driver: &str| json!({"logDriver": driver, "options": {"awslogs-group": "/todo", "awslogs-stream-prefix": "ecs", "awslogs-region": "eu-west-1"}});
        let definition = json!({"containerDefinitions": [
            {"name": "app", "logConfiguration": log("awslogs")}, {"name": "proxy", "logConfiguration": log("splunk")}, {"name": "bare"},
        ]});
        let container = |name: &str, exit_code| TaskContainer { name: name.into(), exit_code, reason: None };
        let task = |id: &str, exit_code| Task {
            arn: format!("arn:task/c/{id}"),
            containers: vec![container("app", exit_code), container("proxy", Some(0)), container("bare", Some(1))],
            ..Task::default()
        };
        let found = places(&definition, &[task("t1", Some(1)), task("never-ran", None)]);
        let place = Place { group: "/todo".into(), stream: "ecs/app/t1".into(), region: Some("eu-west-1".into()) };
        assert_eq!(found, [("t1".into(), "app".into(), place)]);
    }
}
