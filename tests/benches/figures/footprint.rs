//! P10: how large the programs are, how much they hold when idle, and how soon they are ready.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;
use sandbox::world::{Process, World};

use super::table::{Row, quantile};

const STARTS: usize = 7;
/// What the delegate says once it has a session.
const CONNECTED: &str = "connected to the control plane";

/// Measures it.
pub async fn measure(world: &mut World, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let shipped = folder.parent().context("the programs lie in a profile's folder")?.join("dist");
    // What they hold a moment after everything has come to rest.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let server = resident(&world.server)?;
    let delegate = resident(&world.delegates[0].process)?;

    let mut delegate_starts = Vec::new();
    let mut server_starts = Vec::new();
    for _ in 0..STARTS {
        world.delegates[0].process.stop(Duration::from_secs(20)).await?;
        let log = world.dir.join("delegate-1.log");
        let before = std::fs::read(&log)?.len();
        let begun = Instant::now();
        world.restart_delegate(0)?;
        registered(&log, before).await?;
        delegate_starts.push(begun.elapsed().as_secs_f64());

        world.server.stop(Duration::from_secs(20)).await?;
        let begun = Instant::now();
        world.restart_server().await?;
        server_starts.push(begun.elapsed().as_secs_f64());
    }
    world.connected("delegate-1").await?;
    Ok(vec![
        Row::at_most("P10", "segue-delegate, as shipped", megabytes(&shipped.join("segue-delegate"))?, 20.0, "MB"),
        Row::at_most("P10", "segue, as shipped", megabytes(&shipped.join("segue"))?, 30.0, "MB"),
        Row::at_most("P10", "delegate, resident when idle", delegate, 25.0, "MB"),
        Row::at_most("P10", "control plane, resident when idle", server, 40.0, "MB"),
        Row::at_most("P10", "delegate, start to registered, median", quantile(&delegate_starts, 0.5), 0.5, "s"),
        Row::at_most("P10", "control plane, start to accepting, median", quantile(&server_starts, 0.5), 0.3, "s"),
    ])
}

/// Waits until the log says, after what it had said before, that the delegate is connected.
async fn registered(log: &Path, before: usize) -> anyhow::Result<()> {
    for _ in 0..5_000 {
        let said = std::fs::read(log).unwrap_or_default();
        let new = String::from_utf8_lossy(said.get(before..).unwrap_or_default()).into_owned();
        if new.contains(CONNECTED) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    anyhow::bail!("the delegate did not connect")
}

/// Megabytes that a process holds in memory.
#[expect(clippy::cast_precision_loss, reason = "megabytes")]
pub fn resident(process: &Process) -> anyhow::Result<f64> {
    let pid = process.pid().context("the process runs")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a line VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib as f64 * 1_024.0 / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "megabytes")]
fn megabytes(program: &Path) -> anyhow::Result<f64> {
    let about = std::fs::metadata(program)
        .with_context(|| format!("{} is missing: cargo build --profile dist -p cli -p delegate", program.display()))?;
    Ok(about.len() as f64 / 1e6)
}
