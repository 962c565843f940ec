//! Following a deployment to its end: its state and its log side by side, on through a restart of the server.

use std::{collections::hash_map::RandomState, hash::{BuildHasher as _, Hasher as _}, time::Duration};

use domain::{
    deployment::{DeploymentStatus, DeploymentView},
    error::{Error, ErrorCode},
};
use proto::api;
use tokio_stream::StreamExt as _;

use crate::{
    args::Output,
    client::{Client, deployment},
    error::is_passing,
    exit,
    render::{self, Follow, LogText},
};

/// How long a server that went away is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// Follows, prints, and gives the exit status that the outcome has.
///
/// # Errors
/// When the deployment can't be followed.
pub async fn to_the_end(client: &Client, id: &str, output: Output) -> Result<u8, Error> {
    let mut follow = Follow::new(output != Output::Table);
    let mut cursor = 0;
    let mut away_since = None;
    let view = loop {
        match session(client, id, &mut follow, &mut cursor).await {
            Ok(view) => break view,
            Err(error) if is_passing(&error) => {
                let since = *away_since.get_or_insert_with(|| {
                    follow.remark(&format!("{} The deployment goes on by itself; connecting again ...", error.message));
                    tokio::time::Instant::now()
                });
                if since.elapsed() > PATIENCE {
                    return Err(error.hint(format!("The deployment may be going on. Look again: segue deployment watch {id}")));
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(error) => return Err(error),
        }
    };
    follow.end(&view);
    if output != Output::Table {
        render::print(output, &view, String::new)?;
    }
    match &view.status {
        DeploymentStatus::Finished { outcome } => Ok(exit::of_outcome(outcome)),
        _ => Err(Error::new(ErrorCode::Internal, "the server ended the watch before the deployment ended")),
    }
}

/// Both streams until both have ended; the last view.
async fn session(client: &Client, id: &str, follow: &mut Follow, cursor: &mut u64) -> Result<DeploymentView, Error> {
    let (mut watching, mut reading) = (client.deployments(), client.deployments());
    let watch = api::GetDeploymentRequest { deployment_id: id.to_owned() };
    let logs = api::LogsRequest { deployment_id: id.to_owned(), after: *cursor, follow: true };
    let mut views = client.call(watching.watch(watch)).await?;
    let mut lines = client.call(reading.logs(logs)).await?;
    let (mut last, mut watching, mut reading) = (None, true, true);
    while watching || reading {
        tokio::select! {
            // What happened before a line was written is told before it.
            biased;
            view = views.next(), if watching => match view {
                Some(Ok(wire)) => {
                    let view = deployment(wire)?;
                    // The end is told when the log is complete.
                    if !matches!(view.status, DeploymentStatus::Finished { .. }) {
                        follow.view(&view);
                    }
                    last = Some(view);
                }
                Some(Err(status)) => return Err(client.explained(&status)),
                None => watching = false,
            },
            line = lines.next(), if reading => match line {
                Some(Ok(entry)) => {
                    *cursor = entry.sequence;
                    follow.log(&LogText { step: &entry.step_name, level: &entry.level, text: &entry.text });
                }
                Some(Err(status)) => return Err(client.explained(&status)),
                None => reading = false,
            },
        }
    }
    let last = last.filter(|view| matches!(view.status, DeploymentStatus::Finished { .. }));
    let last = last.ok_or_else(|| Error::new(ErrorCode::Unavailable, "the server ended the connection."))?;
    follow.view(&last);
    Ok(last)
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
