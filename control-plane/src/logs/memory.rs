//! Logs in memory, for tests and simulations.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{ids::DeploymentId, task::TaskKey};

use super::{
    accept::{accept, next_after},
    entry::{LogAck, LogCursor, LogEntry, TaskLines},
    error::LogError,
    interface::LogStore,
    newest::{Newest, Subscription},
};

#[derive(Default)]
struct State {
    logs: HashMap<DeploymentId, Vec<LogEntry>>,
    next: HashMap<TaskKey, u64>,
    broken: Option<String>,
}

/// The logs.
#[derive(Default)]
pub struct MemoryLogs {
    state: Mutex<State>,
    newest: Newest,
}

impl MemoryLogs {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on nothing is taken, as with a full disk; `None`: things are taken again.
    pub fn fail_writes(&self, reason: Option<&str>) {
        self.state().broken = reason.map(str::to_owned);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl LogStore for MemoryLogs {
    async fn append(&self, TaskLines { task, step_name, lines, dropped }: TaskLines) -> Result<LogAck, LogError> {
        let mut state = self.state();
        if let Some(reason) = &state.broken {
            return Err(LogError::unavailable(reason));
        }
        let expected = state.next.get(&task).copied().unwrap_or(0);
        let lines = accept(expected, lines, dropped)?;
        let next = next_after(expected, &lines);
        state.next.insert(task, next);
        let log = state.logs.entry(task.deployment).or_default();
        for line in lines {
            let seq = log.len() as u64 + 1;
            log.push(LogEntry { seq, task, step_name: step_name.clone(), line });
        }
        self.newest.tell(task.deployment, log.len() as u64);
        Ok(LogAck { next })
    }

    async fn read(
        &self,
        deployment: DeploymentId,
        cursor: LogCursor,
        limit: usize,
    ) -> Result<(Vec<LogEntry>, LogCursor), LogError> {
        let state = self.state();
        let log = state.logs.get(&deployment).map_or([].as_slice(), Vec::as_slice);
        let read = usize::try_from(cursor.seq()).unwrap_or(usize::MAX).min(log.len());
        let entries: Vec<_> = log[read..].iter().take(limit).cloned().collect();
        let after = entries.last().map_or(cursor.seq(), |entry| entry.seq);
        Ok((entries, LogCursor::after(after)))
    }

    fn subscribe(&self, deployment: DeploymentId) -> Subscription {
        self.newest.subscribe(deployment)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::logs::contract::{contract, lines, task};

    contract!((Arc::new(MemoryLogs::new()), ()));

    #[tokio::test]
    async fn a_full_disk_refuses_until_there_is_space() {
        let (logs, task) = (MemoryLogs::new(), task(1, 0, 1));
        logs.fail_writes(Some("full"));
        assert!(matches!(logs.append(lines(task, 0..2)).await, Err(LogError::Unavailable { .. })));
        logs.fail_writes(None);
        assert_eq!(logs.append(lines(task, 0..2)).await, Ok(LogAck { next: 2 }));
    }
}
