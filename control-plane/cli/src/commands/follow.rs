//! Following a deployment to its end: its state and its log side by side, on through a restart of the server.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    time::Duration,
};

use domain::{
    deployment::{DeploymentStatus, DeploymentView},
    error::{Error, ErrorCode},
};
use proto::{api, convert::log::level_of};
use runtime::clock::{Clock as _, SystemClock};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_stream::StreamExt as _;

use super::goal::Goal;
use crate::{
    args::Output,
    client::{Client, deployment},
    error::is_passing,
    exit,
    render::{self, Ending, Line, Part, Progress, Screen},
};

/// How long a server that was there and went away is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Follows, prints, and gives the exit status that the outcome has; 0 when something else was waited for and is so. Ctrl-C ends the following, not the deployment.
///
/// # Errors
/// When the deployment can't be followed.
pub(super) async fn until(client: &Client, screen: &mut Screen, id: &str, goal: Goal, output: Output) -> Result<u8, Error> {
    let data = output != Output::Table;
    let mut progress = Progress::new(screen, data);
    let followed = tokio::select! {
        followed = follow(client, screen, &mut progress, id, &goal) => Some(followed),
        _ = tokio::signal::ctrl_c() => None,
    };
    progress.end(screen);
    let Some(followed) = followed else {
        screen.note(&format!("\nNo longer followed; the deployment goes on. Look again: segue deployment watch {id}\n"));
        return Ok(exit::INTERRUPTED);
    };
    let view = followed?;
    render::print(screen, output, &Ending::of(&view), |look| render::ending(&view, look))?;
    match &view.status {
        DeploymentStatus::Finished { outcome } => Ok(exit::of_outcome(outcome)),
        _ => {
            screen.note(&format!("\nThe deployment goes on. Follow it: segue deployment watch {id}\n"));
            Ok(0)
        }
    }
}

/// Where the following stands.
struct Place {
    /// When it began.
    begun: Instant,
    /// The last line that was shown; none before the first contact.
    cursor: Option<u64>,
    /// Since when the server is away.
    away_since: Option<Instant>,
}

/// The two streams, opened again from where they stood as often as the server goes away; the deployment as it ended.
async fn follow(
    client: &Client,
    screen: &mut Screen,
    progress: &mut Progress,
    id: &str,
    goal: &Goal,
) -> Result<DeploymentView, Error> {
    let mut place = Place { begun: Instant::now(), cursor: None, away_since: None };
    loop {
        match session(client, screen, progress, id, goal, &mut place).await {
            // The first contact has had the patience of any other call: an address that is wrong stays wrong.
            Err(error) if is_passing(&error) && place.cursor.is_some() => {
                let since = *place.away_since.get_or_insert_with(|| {
                    progress.remark(screen, &format!("{} The deployment goes on by itself; connecting again ...", error.message));
                    Instant::now()
                });
                if since.elapsed() > PATIENCE {
                    return Err(error.hint(format!("The deployment may be going on. Look again: segue deployment watch {id}")));
                }
                sleep(PAUSE).await;
            }
            ended => return ended,
        }
    }
}

/// Both streams until both have ended; the last view.
async fn session(
    client: &Client,
    screen: &mut Screen,
    progress: &mut Progress,
    id: &str,
    goal: &Goal,
    place: &mut Place,
) -> Result<DeploymentView, Error> {
    let watch = api::GetDeploymentRequest { deployment_id: id.to_owned() };
    let logs = api::LogsRequest { deployment_id: id.to_owned(), after: place.cursor.unwrap_or(0), follow: true };
    let open = |client: Client| {
        let watch = watch.clone();
        async move { client.deployments().watch(watch).await }
    };
    let mut views = if place.cursor.is_some() { client.call(open(client.clone())).await? } else { client.read(open).await? };
    let mut reading = client.deployments();
    let mut lines = client.call(reading.logs(logs)).await?;
    place.cursor.get_or_insert(0);
    if place.away_since.take().is_some() {
        progress.remark(screen, "Connected again.");
    }
    let clock = SystemClock::new();
    let (mut last, mut watching, mut reading) = (None, true, true);
    while watching || reading {
        let due = progress.next_due().map(|due| place.begun + due);
        tokio::select! {
            view = views.next(), if watching => match view {
                Some(Ok(wire)) => {
                    let view = deployment(wire)?;
                    progress.view(screen, &view, place.begun.elapsed(), clock.now_ms());
                    if goal.is_reached(&view)? {
                        progress.due(screen, Duration::MAX);
                        return Ok(view);
                    }
                    last = Some(view);
                }
                Some(Err(status)) => return Err(client.explained(&status)),
                None => watching = false,
            },
            line = lines.next(), if reading => match line {
                Some(Ok(entry)) => {
                    place.cursor = Some(entry.sequence);
                    progress.line(screen, read(entry));
                }
                Some(Err(status)) => return Err(client.explained(&status)),
                None => reading = false,
            },
            () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {
                progress.due(screen, place.begun.elapsed());
            }
        }
    }
    let last = last.filter(|view| matches!(view.status, DeploymentStatus::Finished { .. }));
    last.ok_or_else(|| Error::new(ErrorCode::Unavailable, "The server ended the connection."))
}

fn read(entry: api::LogEntry) -> Line {
    let part = Part { step: entry.step, undo: entry.direction == "undo" };
    Line { part, name: entry.step_name, level: level_of(&entry.level), text: entry.text }
}

/// A key that no other request has: 128 bits that the standard library draws for its hash maps.
pub(super) fn random_key() -> String {
    let half = || {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(), half())
}
