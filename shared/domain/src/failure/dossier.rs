//! What was known when a version would not start: the evidence a person would otherwise gather by hand, in the hour before AWS
//! forgets it.
//!
//! Texts are AWS's, or the application's: untrusted, and raw until they are shown. Environment values and secrets are never in
//! here; of those only the names, and that they changed.

use serde::{Deserialize, Serialize};

/// The largest dossier, in bytes of JSON. A report travels and is stored as one value of at most
/// [`crate::limits::CHECKPOINT_BYTES`], and the failure's own words come first.
pub const DOSSIER_BYTES: usize = 28 * 1024;
/// The longest single text in it, in bytes.
const TEXT_BYTES: usize = 1_024;

/// The evidence behind a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Dossier {
    /// Tasks of the new version that stopped, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stopped_tasks: Vec<StoppedTask>,
    /// What ECS last said about the service, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SaidEvent>,
    /// The new target group's targets that are not healthy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<SickTarget>,
    /// How the new task definition differs from the one that serves production.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The last lines that stopped containers wrote.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LastLines>,
    /// The latest request of each AWS operation of this attempt, for AWS's support.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<AwsRequest>,
    /// What could not be gathered and why, and what was cut.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A task that stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StoppedTask {
    /// The last part of its ARN.
    pub id: String,
    /// `TaskFailedToStart`, `EssentialContainerExited` ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_code: Option<String>,
    /// ECS's words for why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_reason: Option<String>,
    /// Its containers.
    pub containers: Vec<StoppedContainer>,
}

/// A container of a task that stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StoppedContainer {
    /// Its name.
    pub name: String,
    /// What it exited with, if it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// ECS's words for why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A service event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SaidEvent {
    /// Milliseconds since 1970-01-01 UTC, by AWS's clock.
    pub at_ms: i64,
    /// ECS's words.
    pub message: String,
}

/// A target that gets no requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SickTarget {
    /// Address or instance id, with its port.
    pub target: String,
    /// `unhealthy`, `initial`, `unused` ...
    pub state: String,
    /// `Target.FailedHealthChecks` ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The load balancer's words for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A member that differs between two task definitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Change {
    /// Where: `containerDefinitions[app].image`.
    pub path: String,
    /// The old value as JSON; none if there was none, or if it is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The new value, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// The values are not shown because they may be secret.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// The end of a container's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LastLines {
    /// The task's id.
    pub task: String,
    /// The container's name.
    pub container: String,
    /// The log group.
    pub group: String,
    /// The stream in it.
    pub stream: String,
    /// The lines, oldest first.
    pub lines: Vec<String>,
}

/// An answered request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AwsRequest {
    /// `ecs:UpdateService`.
    pub operation: String,
    /// AWS's id of it.
    pub request_id: String,
}

impl Dossier {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Every text in it that came from outside, rewritten: for masking secrets, and for cutting.
    pub fn map_texts(&mut self, mut map: impl FnMut(&str) -> String) {
        let mut each = |text: &mut String| *text = map(text);
        for task in &mut self.stopped_tasks {
            each(&mut task.id);
            task.stop_code.iter_mut().for_each(&mut each);
            task.stopped_reason.iter_mut().for_each(&mut each);
            for container in &mut task.containers {
                each(&mut container.name);
                container.reason.iter_mut().for_each(&mut each);
            }
        }
        self.events.iter_mut().for_each(|event| each(&mut event.message));
        for target in &mut self.targets {
            each(&mut target.target);
            each(&mut target.state);
            target.reason.iter_mut().for_each(&mut each);
            target.description.iter_mut().for_each(&mut each);
        }
        for change in &mut self.changes {
            each(&mut change.path);
            change.old.iter_mut().for_each(&mut each);
            change.new.iter_mut().for_each(&mut each);
        }
        for log in &mut self.logs {
            for text in [&mut log.task, &mut log.container, &mut log.group, &mut log.stream] {
                each(text);
            }
            log.lines.iter_mut().for_each(&mut each);
        }
        self.notes.iter_mut().for_each(&mut each);
    }

    /// Brings it within [`DOSSIER_BYTES`], and says so in the notes: long texts are cut first, then the longest list loses what is
    /// oldest in it, until it fits.
    pub fn fit(&mut self) {
        let mut shortened = false;
        self.map_texts(|text| {
            let fits = text.len() <= TEXT_BYTES;
            shortened |= !fits;
            if fits { text.to_owned() } else { format!("{} [cut]", &text[..text.floor_char_boundary(TEXT_BYTES)]) }
        });
        if shortened {
            self.notes.push("Long texts were cut.".to_owned());
        }
        if self.bytes() <= DOSSIER_BYTES {
            return;
        }
        self.notes.push(format!("More was known than {} KiB hold: the rest was cut.", DOSSIER_BYTES / 1_024));
        while self.bytes() > DOSSIER_BYTES && self.drop_some() {}
    }

    fn bytes(&self) -> usize {
        serde_json::to_vec(self).map_or(usize::MAX, |json| json.len())
    }

    /// Halves the largest list; false when nothing is left to drop.
    fn drop_some(&mut self) -> bool {
        let size = |json: serde_json::Result<Vec<u8>>| json.map_or(0, |json| json.len());
        let sizes = [
            (size(serde_json::to_vec(&self.logs)), 0),
            (size(serde_json::to_vec(&self.changes)), 1),
            (size(serde_json::to_vec(&self.stopped_tasks)), 2),
            (size(serde_json::to_vec(&self.events)), 3),
            (size(serde_json::to_vec(&self.targets)), 4),
            (size(serde_json::to_vec(&self.requests)), 5),
            (size(serde_json::to_vec(&self.notes)), 6),
        ];
        let Some((_, largest)) = sizes.into_iter().max() else { return false };
        match largest {
            0 => match self.logs.iter_mut().max_by_key(|log| log.lines.len()).filter(|log| log.lines.len() > 1) {
                Some(log) => drop(log.lines.drain(..log.lines.len().div_ceil(2))),
                None => halve(&mut self.logs),
            },
            1 => halve(&mut self.changes),
            2 => match self.stopped_tasks.as_mut_slice() {
                [only] if only.containers.len() > 1 => halve(&mut only.containers),
                _ => halve(&mut self.stopped_tasks),
            },
            3 => halve(&mut self.events),
            4 => halve(&mut self.targets),
            5 => halve(&mut self.requests),
            _ => drop(self.notes.drain(..self.notes.len().div_ceil(2))),
        }
        !self.is_empty()
    }
}

fn halve<T>(list: &mut Vec<T>) {
    list.truncate(list.len() / 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_cut_and_says_so() {
        let lines = (0..500).map(|number| format!("{number} {}", "ü\u{1}".repeat(2_000))).collect();
        let event = |at_ms| SaidEvent { at_ms, message: "x".repeat(900) };
        let mut dossier = Dossier {
            logs: vec![LastLines { lines, ..LastLines::default() }],
            events: (0..10).map(event).collect(),
            ..Dossier::default()
        };
        dossier.fit();
        assert!(dossier.bytes() <= DOSSIER_BYTES, "{}", dossier.bytes());
        assert!(dossier.logs[0].lines.last().is_some_and(|line| line.starts_with("499 ") && line.ends_with(" [cut]")));
        assert_eq!(dossier.notes.len(), 2, "{:?}", dossier.notes);
        let before = dossier.clone();
        dossier.fit();
        assert_eq!(before.logs, dossier.logs);
    }

    #[test]
    fn one_enormous_task_does_not_keep_it_from_ending() {
        let container = StoppedContainer { name: "n".repeat(5_000), ..StoppedContainer::default() };
        let task = StoppedTask { containers: vec![container; 500], ..StoppedTask::default() };
        let mut dossier = Dossier { stopped_tasks: vec![task], ..Dossier::default() };
        dossier.fit();
        assert!(dossier.bytes() <= DOSSIER_BYTES && !dossier.stopped_tasks.is_empty());
    }

    #[test]
    fn a_failure_of_an_older_journal_has_none() {
        let old = r#"{"kind":"application","effect":"didNotHappen","transient":false,"message":"m"}"#;
        let failure: super::super::Failure = serde_json::from_str(old).expect("read");
        assert_eq!(failure.dossier, None);
        assert_eq!(serde_json::to_string(&failure).expect("written"), old);
    }
}
