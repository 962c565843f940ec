//! A script's process with everything that it started: ended as one, at the latest when nobody holds it any more.

use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

/// The process that leads a group of its own, and the group.
pub(super) struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Group {
    /// Starts the command as the first of a new group.
    ///
    /// # Errors
    /// When it can't be started.
    pub(super) fn start(command: &mut Command) -> std::io::Result<Self> {
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, id })
    }

    /// Its outputs, once.
    pub(super) fn outputs(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for its first process.
    ///
    /// # Errors
    /// When the system does not say how it ended.
    pub(super) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Kills whatever of the group still runs.
    pub(super) fn kill(&mut self) {
        // Once: later the number may be somebody else's.
        if let Some(id) = self.id.take() {
            // The group may be gone, which is what is wanted.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
