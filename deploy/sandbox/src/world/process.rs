//! One process of the world: started with its output in a file, stopped by its own pid, never left behind.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

/// A running (or ended) process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts `command` with standard output and error in `<dir>/<name>.log` (appended, so that a restart keeps the story).
    ///
    /// # Errors
    /// When the file can't be written or the program can't be started.
    pub fn start(name: &str, mut command: Command, dir: &Path) -> anyhow::Result<Self> {
        let output = dir.join(format!("{name}.log"));
        let file = File::options()
            .create(true)
            .append(true)
            .open(&output)
            .with_context(|| format!("cannot write {}", output.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), child, output })
    }

    /// Its pid while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends SIGKILL and waits until it is gone.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.name))
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When it has ended, or the system refuses.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let pid = pid.with_context(|| format!("{} has ended", self.name))?;
        kill_process(pid, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// Sends SIGTERM and waits for its end, `limit` at most; then SIGKILL.
    ///
    /// # Errors
    /// When it did not end in time by itself.
    pub async fn stop(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        if self.is_running() {
            self.signal(Signal::TERM)?;
        }
        match tokio::time::timeout(limit, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => {
                self.kill().await?;
                bail!("{} did not stop within {limit:?}; its last words:\n{}", self.name, self.last_words())
            }
        }
    }

    /// The last lines it printed, for an error message.
    pub fn last_words(&self) -> String {
        let output = self.output();
        let lines: Vec<&str> = output.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// Waits until `ready` says so, `limit` at most, or until the process ends.
    ///
    /// # Errors
    /// When it ended or was not ready in time; its last words are in the error.
    pub async fn ready<F>(&mut self, limit: Duration, mut ready: impl FnMut() -> F) -> anyhow::Result<()>
    where
        F: Future<Output = bool>,
    {
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            if ready().await {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status} before it was ready; its last words:\n{}", self.name, self.last_words());
            }
            if tokio::time::Instant::now() > deadline {
                bail!("{} was not ready within {limit:?}; its last words:\n{}", self.name, self.last_words());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
