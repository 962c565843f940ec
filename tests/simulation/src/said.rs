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
    left: BTreeSet<InstanceId>,
    performing: BTreeSet<(InstanceId, TaskKey)>,
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

    /// A process begins to perform a task, or ends.
    pub fn performs(&self, instance: InstanceId, task: TaskKey, begins: bool) {
        let performing = &mut self.lock().performing;
        match begins {
            true => performing.insert((instance, task)),
            false => performing.remove(&(instance, task)),
        };
    }

    /// The process left, and nothing hindered it: whatever becomes of it now, nothing of what it said is lost.
    ///
    /// # Errors
    /// When it left in the midst of a task, which then waits for the end of its lease.
    pub fn left(&self, instance: InstanceId) -> Result<(), String> {
        let mut state = self.lock();
        state.left.insert(instance);
        match state.performing.iter().find(|(of, _)| *of == instance) {
            Some((_, task)) => Err(format!("{task} is not handed back, and nothing hindered its delegate")),
            None => Ok(()),
        }
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
            let may_lose = state.dead.contains(instance) && !state.left.contains(instance);
            if there < said.len() && !may_lose {
                return Err(format!("{there} of {} lines of {task} can be read, and nobody died", said.len()));
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
