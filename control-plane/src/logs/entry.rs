//! What goes into a log and what comes out.

use std::sync::Arc;

use domain::{log::LogLine, task::TaskKey};

/// Lines of one attempt, as its delegate ships them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskLines {
    /// Of which attempt.
    pub task: TaskKey,
    /// The step's name, to be shown with the lines.
    pub step_name: Arc<str>,
    /// The lines, numbered without holes.
    pub lines: Vec<LogLine>,
    /// How many lines in front of the first the delegate had to drop. Only such a hole is taken, and said in the log.
    pub dropped: u64,
}

/// What is durable of an attempt's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogAck {
    /// The number that is expected next: every line before it is durable. Not after the last line that was sent: the lines were
    /// refused, because some in front of them are missing.
    pub next: u64,
}

/// A line in a deployment's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Position in the deployment's log, from 1, without holes: the order in which lines became durable.
    pub seq: u64,
    /// Which attempt wrote it.
    pub task: TaskKey,
    /// The step's name.
    pub step_name: Arc<str>,
    /// The line.
    pub line: LogLine,
}

/// How far somebody has read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogCursor {
    pub(super) after: u64,
    pub(super) place: Option<Place>,
}

/// Where the next entry is to be looked for: spares reading what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// First entry of the file.
    pub(super) segment: u64,
    /// Bytes from its beginning.
    pub(super) offset: u64,
}

impl LogCursor {
    /// Before the first entry.
    pub fn start() -> Self {
        Self::default()
    }

    /// Behind the entry of this number; 0: before the first.
    pub fn after(seq: u64) -> Self {
        Self { after: seq, place: None }
    }

    /// The number of the last entry that was read, or 0.
    pub fn seq(&self) -> u64 {
        self.after
    }
}
