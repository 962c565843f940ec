//! What the steps said, held against what can be read in the end: once, in order, and all of it if nobody died.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use control_plane::logs::{LogCursor, LogStore, MemoryLogs};
use domain::{
    ids::{DeploymentId, InstanceId},
    task::TaskKey,
};

/// The lines.
#[derive(Default)]
pub struct Said(Mutex<State>);

#[derive(Default)]
struct State {
    lines: BTreeMap<TaskKey, (InstanceId, Vec<String>)>,
    dead: BTreeSet<InstanceId>,
}

impl Said {
    /// A step says a line.
    pub fn line(&self, task: TaskKey, instance: InstanceId, text: &str) {
        // As it is cut and cleaned on its way.
        let lines = &mut self.lock().lines;
        lines.entry(task).or_insert_with(|| (instance, Vec::new())).1.push(delegate::logs::line::clean(text));
    }

    /// The process was killed or left: what it had not handed on is lost with it.
    pub fn gone(&self, instance: InstanceId) {
        self.lock().dead.insert(instance);
    }

    /// What is wrong with a deployment's log.
    ///
    /// # Errors
    /// The first line that is missing, there twice, or out of order.
    pub async fn compare(&self, logs: &MemoryLogs, deployment: DeploymentId) -> Result<(), String> {
        let (entries, _) = logs.read(deployment, LogCursor::start(), usize::MAX).await.map_err(|error| error.to_string())?;
        let mut read: BTreeMap<TaskKey, Vec<String>> = BTreeMap::new();
        for entry in entries {
            let lines = read.entry(entry.task).or_default();
            if entry.line.number != lines.len() as u64 {
                return Err(format!("line {} of {} stands at place {}", entry.line.number, entry.task, lines.len()));
            }
            lines.push(entry.line.text);
        }
        let state = self.lock();
        for (task, lines) in &read {
            let said = state.lines.get(task).map_or(&[][..], |(_, said)| said);
            if !said.starts_with(lines) {
                return Err(format!("the log of {task} is not what was said: {lines:?}, said {said:?}"));
            }
        }
        for (task, (instance, said)) in state.lines.iter().filter(|(task, _)| task.deployment == deployment) {
            let there = read.get(task).map_or(0, Vec::len);
            if there < said.len() && !state.dead.contains(instance) {
                return Err(format!("{there} of {} lines of {task} can be read, and nobody died", said.len()));
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
