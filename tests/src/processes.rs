//! Processes that end by themselves.

use std::time::Duration;

use anyhow::bail;
use sandbox::world::Process;

/// How long a process may take to end by itself.
const LIMIT: Duration = Duration::from_secs(20);

/// Waits until a process has ended by itself, having said these words.
///
/// # Errors
/// When it goes on for 20 s, or said something else.
pub async fn ends_saying(mut process: Process, words: &str) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + LIMIT;
    while process.is_running() {
        if tokio::time::Instant::now() > deadline {
            bail!("it did not end by itself; it said:\n{}", process.output());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let output = process.output();
    anyhow::ensure!(output.contains(words), "expected {words:?} in\n{output}");
    Ok(())
}
