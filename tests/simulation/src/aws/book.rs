//! Who wrote what, in the order in which it took effect; and the rule that an attempt which was followed by a newer one writes
//! nothing any more.

use std::collections::BTreeMap;

use domain::{
    ids::{DeploymentId, InstanceId},
    task::{Direction, TaskKey},
};

/// An attempt at a delegate's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Writer {
    /// The process.
    pub instance: InstanceId,
    /// The attempt.
    pub task: TaskKey,
}

/// The book.
#[derive(Debug, Default)]
pub struct Book {
    /// The writers of each deployment, in the order of their first write; the last is the present one.
    writers: BTreeMap<DeploymentId, Vec<Writer>>,
    writes: u64,
}

impl Book {
    /// A write takes effect. `promised`: production is put back while it is watched, which needs no lease.
    ///
    /// # Errors
    /// When a newer attempt has written already: what is wrong.
    pub fn enter(&mut self, writer: Writer, operation: &str, promised: bool) -> Result<(), String> {
        self.writes += 1;
        let writers = self.writers.entry(writer.task.deployment).or_default();
        if writers.last() == Some(&writer) {
            return Ok(());
        }
        let newer = writers.iter().enumerate().find(|(place, other)| {
            let followed = writers[..*place].contains(&writer);
            followed || is_older(writer.task, other.task)
        });
        match newer {
            Some(_) if promised => Ok(()),
            Some((_, newer)) => Err(format!("{operation} of {} takes effect after {} has written", writer.task, newer.task)),
            None => {
                writers.push(writer);
                Ok(())
            }
        }
    }

    /// How many writes there were.
    pub fn writes(&self) -> u64 {
        self.writes
    }
}

/// Whether a task's writes all have to be over when the other one begins to write.
fn is_older(task: TaskKey, other: TaskKey) -> bool {
    match (task.direction, other.direction) {
        (Direction::Perform, Direction::Undo) => true,
        (Direction::Undo, Direction::Perform) => false,
        (Direction::Perform, Direction::Perform) => (task.step, task.attempt) < (other.step, other.attempt),
        // An undo that was given up may be taken up again after those behind it.
        (Direction::Undo, Direction::Undo) => task.step == other.step && task.attempt < other.attempt,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn writer(instance: u128, step: u32, direction: Direction, attempt: u32) -> Writer {
        let deployment = DeploymentId::new(Uuid::from_u128(1));
        Writer { instance: InstanceId::new(Uuid::from_u128(instance)), task: TaskKey { deployment, step, direction, attempt } }
    }

    #[test]
    fn nobody_writes_after_a_newer_attempt_has() {
        let mut book = Book::default();
        let (first, second) = (writer(1, 0, Direction::Perform, 1), writer(2, 0, Direction::Perform, 2));
        for writer in [first, first, second, second] {
            book.enter(writer, "CreateService", false).expect("in order");
        }
        assert!(book.enter(first, "CreateService", false).is_err());
        assert!(book.enter(first, "ModifyListener", true).is_ok());
        book.enter(writer(2, 1, Direction::Perform, 1), "UpdateService", false).expect("the next step");
        book.enter(writer(3, 1, Direction::Undo, 1), "UpdateService", false).expect("its undo");
        assert!(book.enter(writer(3, 1, Direction::Perform, 2), "UpdateService", false).is_err());
        assert!(book.enter(second, "CreateService", false).is_err());
    }
}
