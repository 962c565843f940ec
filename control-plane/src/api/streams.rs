//! Streams to people: a deployment as it changes, and its log. Each has a task that reads on as fast as the reader reads and no
//! faster: a slow reader of a deployment skips to the newest view, one of a log reads later from the files.

use std::{future::Future, sync::Arc, time::Duration};

use domain::{
    deployment::{DeploymentStatus, DeploymentView},
    error::{Error, ErrorCode},
    ids::DeploymentId,
};
use proto::{
    api::{Deployment, LogEntry},
    convert::{deployment::to_wire, log::level_name},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{context::ApiContext, status};
use crate::{dispatch::Dispatch, logs};

/// Log lines on their way to one reader.
const AHEAD: usize = 1024;
/// How long the log of a deployment that has ended must be quiet before its reader is let go.
const QUIET: Duration = Duration::from_millis(500);

type Reader<T> = mpsc::Sender<Result<T, Status>>;

/// The deployment as it is, then again after each change, until it has ended.
pub(super) fn watch(
    context: &Arc<ApiContext>,
    id: DeploymentId,
    first: DeploymentView,
) -> ReceiverStream<Result<Deployment, Status>> {
    let dispatch = context.dispatch.clone();
    stream(context, "deployment watch", 1, |reader: Reader<Deployment>| async move {
        let mut changes = dispatch.changes(id);
        let mut shown = first;
        reader.send(Ok(to_wire(&shown))).await.map_err(|_| Status::cancelled("nobody reads"))?;
        while !finished(&shown) {
            // Subscribed before it is looked at: no change falls in between.
            changes.mark_unchanged();
            let view = dispatch.view(id).await.map_err(|error| status::dispatch(&error))?;
            if view != shown {
                shown = view;
                reader.send(Ok(to_wire(&shown))).await.map_err(|_| Status::cancelled("nobody reads"))?;
                continue;
            }
            tokio::select! {
                () = reader.closed() => return Ok(()),
                changed = changes.changed() => if changed.is_err() {
                    changes = dispatch.changes(id);
                },
            }
        }
        Ok(())
    })
}

fn finished(view: &DeploymentView) -> bool {
    matches!(view.status, DeploymentStatus::Finished { .. })
}

/// The deployment's log behind entry number `after`; with `follow`, on until the deployment has ended and its delegates have sent
/// what they had.
pub(super) fn logs(
    context: &Arc<ApiContext>,
    id: DeploymentId,
    after: u64,
    follow: bool,
) -> ReceiverStream<Result<LogEntry, Status>> {
    let dispatch = context.dispatch.clone();
    let mut follower = context.logs.follow(id, after);
    stream(context, "deployment log", AHEAD, move |reader: Reader<LogEntry>| async move {
        let ended = ended(&dispatch, id);
        tokio::pin!(ended);
        let mut over = !follow;
        loop {
            let entries = if over {
                // Logs come on a stream of their own, which may be a little behind the report that ended the deployment.
                let quiet = if follow { QUIET } else { Duration::ZERO };
                match tokio::time::timeout(quiet, follower.next()).await {
                    Ok(entries) => entries,
                    Err(_) => follower.ready().await,
                }
            } else {
                tokio::select! {
                    entries = follower.next() => entries,
                    status = &mut ended => {
                        status?;
                        over = true;
                        continue;
                    }
                }
            };
            let entries = entries.map_err(|error| status::logs(&error))?;
            if entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                reader.send(Ok(entry_to_wire(entry))).await.map_err(|_| Status::cancelled("nobody reads"))?;
            }
        }
    })
}

/// Resolves when the deployment has ended.
async fn ended(dispatch: &Arc<Dispatch>, id: DeploymentId) -> Result<(), Status> {
    loop {
        let mut changes = dispatch.changes(id);
        changes.mark_unchanged();
        if finished(&dispatch.view(id).await.map_err(|error| status::dispatch(&error))?) {
            return Ok(());
        }
        // An error means that its driver has retired: look again.
        let _ = changes.changed().await;
    }
}

fn entry_to_wire(entry: logs::LogEntry) -> LogEntry {
    LogEntry {
        sequence: entry.seq,
        step: entry.task.step,
        step_name: entry.step_name.to_string(),
        direction: entry.task.direction.as_str().to_owned(),
        attempt: entry.task.attempt,
        number: entry.line.number,
        at_ms: entry.line.at_ms,
        level: level_name(entry.line.level).to_owned(),
        text: entry.line.text,
    }
}

/// Runs `body` until it is done, nobody reads any more, or the server stops, which the reader is told.
fn stream<T, F, B>(context: &Arc<ApiContext>, name: &'static str, ahead: usize, body: B) -> ReceiverStream<Result<T, Status>>
where
    T: Send + 'static,
    F: Future<Output = Result<(), Status>> + Send + 'static,
    B: FnOnce(Reader<T>) -> F,
{
    let (reader, read) = mpsc::channel(ahead);
    let stop = context.tasks.token().clone();
    let body = body(reader.clone());
    context.tasks.spawn(name, async move {
        let ended = stop.run_until_cancelled(body).await;
        let stopping = || status::status(&Error::new(ErrorCode::Unavailable, "the control plane is stopping"));
        if let Err(status) = ended.unwrap_or_else(|| Err(stopping())) {
            // A reader that does not read does not learn why either.
            drop(reader.try_send(Err(status)));
        }
    });
    ReceiverStream::new(read)
}
