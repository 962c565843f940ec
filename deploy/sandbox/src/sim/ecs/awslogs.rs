//! The `awslogs` driver: what containers write goes to CloudWatch Logs, where their log configuration says.

use serde_json::Value;

use super::obstacle::Told;
use crate::sim::{context::Context, logs::Group};

/// Where a container's lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    /// The region; none: the task's.
    region: Option<String>,
    /// The log group.
    group: String,
    /// The log stream.
    stream: String,
    /// Whether the group is made if there is none.
    makes_group: bool,
}

impl LogPlace {
    /// Where the container with this number in its task logs to, if to CloudWatch Logs.
    pub fn of(container: &Value, task: &str, number: usize) -> Option<Self> {
        let log = &container["logConfiguration"];
        let option = |name: &str| log["options"][name].as_str().filter(|text| !text.is_empty());
        if log["logDriver"] != "awslogs" {
            return None;
        }
        let name = container["name"].as_str().unwrap_or_default();
        // Without a prefix, the container runtime's id is the stream's name.
        let stream = option("awslogs-stream-prefix")
            .map_or_else(|| format!("{task}-{number:010}"), |prefix| format!("{prefix}/{name}/{task}"));
        Some(Self {
            region: option("awslogs-region").map(str::to_owned),
            group: option("awslogs-group")?.to_owned(),
            stream,
            makes_group: option("awslogs-create-group").is_some_and(|text| text.eq_ignore_ascii_case("true")),
        })
    }

    /// Opens the stream.
    ///
    /// # Errors
    /// What AWS says of a task whose log group is not there.
    pub(super) fn open(&self, context: &mut Context<'_>, fargate: bool) -> Result<(), Told> {
        let now = context.clock.epoch_ms();
        let groups = context.logs.groups(context.account, self.region.as_deref().unwrap_or(context.region));
        if self.makes_group {
            groups.entry(self.group.clone()).or_insert_with(|| Group::new(now));
        }
        match groups.get_mut(&self.group) {
            Some(group) => {
                group.open(&self.stream, now);
                Ok(())
            }
            None => Err(no_group(fargate)),
        }
    }

    /// Writes a line.
    pub(super) fn write(&self, context: &mut Context<'_>, text: String) {
        let now = context.clock.epoch_ms();
        let groups = context.logs.groups(context.account, self.region.as_deref().unwrap_or(context.region));
        if let Some(group) = groups.get_mut(&self.group) {
            group.write(&self.stream, now, text);
        }
    }
}

/// Writes a line of one of a task's containers.
pub(super) fn write(context: &mut Context<'_>, task: &str, container: &str, text: impl Into<String>) {
    let found = context.ecs.tasks.get(task).and_then(|task| task.containers.iter().find(|one| one.name == container));
    if let Some(place) = found.and_then(|container| container.log.clone()) {
        place.write(context, text.into());
    }
}

/// Writes a line of each of a task's containers.
pub(super) fn write_all(context: &mut Context<'_>, task: &str, text: &str) {
    let containers = context.ecs.tasks.get(task).into_iter().flat_map(|task| &task.containers);
    let places: Vec<LogPlace> = containers.filter_map(|container| container.log.clone()).collect();
    places.iter().for_each(|place| place.write(context, text.to_owned()));
}

fn no_group(fargate: bool) -> Told {
    let why = "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.";
    if fargate {
        let text = format!(
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: {why} : exit status 1"
        );
        Told { task: text, container: None }
    } else {
        let text = format!("CannotStartContainerError: Error response from daemon: failed to initialize logging driver: {why}");
        Told { task: "Task failed to start".to_owned(), container: Some(text) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place(options: &Value) -> Option<LogPlace> {
        LogPlace::of(&json!({"name": "web", "logConfiguration": {"logDriver": "awslogs", "options": options}}), "t1", 2)
    }

    #[test]
    fn a_stream_is_named_as_the_driver_names_it() {
        let named = place(&json!({"awslogs-group": "/shop", "awslogs-stream-prefix": "ecs", "awslogs-create-group": "true"}));
        let named = named.expect("a place");
        assert_eq!((named.group.as_str(), named.stream.as_str(), named.makes_group), ("/shop", "ecs/web/t1", true));
        let unnamed = place(&json!({"awslogs-group": "/shop"})).expect("a place");
        assert_eq!((unnamed.stream.as_str(), unnamed.makes_group), ("t1-0000000002", false));
    }

    #[test]
    fn other_drivers_and_none_log_elsewhere() {
        assert_eq!(place(&json!({})), None);
        assert_eq!(LogPlace::of(&json!({"name": "web", "logConfiguration": {"logDriver": "splunk"}}), "t1", 0), None);
        assert_eq!(LogPlace::of(&json!({"name": "web"}), "t1", 0), None);
    }
}
