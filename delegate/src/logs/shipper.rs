//! Ships lines on the `ShipLogs` stream of whatever connection the session has, opened when there is something to ship. When the
//! stream is lost, everything that was not acknowledged is sent again on the next one.

use std::{sync::Arc, time::Duration};

use proto::{
    convert::log::line_to_wire,
    delegate::{LogAck, LogChunk, delegate_gateway_client::DelegateGatewayClient},
};
use runtime::{backoff::Backoff, chance::Chance};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming, transport::Channel};

use super::{Logs, buffer::Chunk};

/// Chunks between us and the connection.
const QUEUE: usize = 4;
/// How long the control plane may take to accept the stream.
const OPENING: Duration = Duration::from_secs(10);

/// How a stream ended.
enum End {
    /// The session went to another connection, or has none.
    Moved,
    /// The stream is lost while the connection may stand.
    Lost(Status),
}

/// What can happen to an open stream.
enum Happening {
    /// An acknowledgement, or the end of the stream.
    Acknowledged(Result<Option<LogAck>, Status>),
    /// There is room for a chunk, and something to put into it.
    Room,
    /// Something was written.
    Written,
    /// The session's connection changed.
    Moved,
    /// The connection takes nothing any more.
    Closed,
}

/// Ships until it is dropped. `connection` is the session's connection while it has one.
pub async fn ship(logs: Arc<Logs>, mut connection: watch::Receiver<Option<Channel>>, chance: Chance) {
    let mut backoff = Backoff::reconnect();
    loop {
        let channel = match connection.wait_for(Option::is_some).await.map(|channel| channel.clone()) {
            Ok(Some(channel)) => channel,
            Ok(None) => continue,
            // The session is over for good.
            Err(_) => return,
        };
        logs.rewind();
        while !logs.has_chunk() {
            logs.written().await;
        }
        // Waiting may have taken long.
        if connection.has_changed().unwrap_or(true) {
            continue;
        }
        match stream(&logs, channel, &mut connection, &mut backoff).await {
            End::Moved => {}
            End::Lost(status) => {
                tracing::info!(error = %status.message(), "the stream for logs was lost; it is opened again");
                let delay = backoff.next_delay(&mut chance.draw());
                tokio::time::sleep(delay).await;
            }
        }
    }
}

async fn stream(logs: &Logs, channel: Channel, connection: &mut watch::Receiver<Option<Channel>>, backoff: &mut Backoff) -> End {
    let (chunks, outbound) = mpsc::channel(QUEUE);
    // The first chunk goes ahead of the answer: a server may read before it answers.
    if let Some(chunk) = logs.take_chunk() {
        // The channel is new and empty.
        let _ = chunks.try_send(to_wire(chunk));
    }
    let mut client = DelegateGatewayClient::new(channel);
    let opening = tokio::time::timeout(OPENING, client.ship_logs(ReceiverStream::new(outbound))).await;
    let mut acknowledgements: Streaming<LogAck> = match opening {
        Ok(Ok(response)) => response.into_inner(),
        Ok(Err(status)) => return End::Lost(status),
        Err(_) => return End::Lost(Status::deadline_exceeded("no answer when the stream was opened")),
    };
    loop {
        let happening = tokio::select! {
            biased;
            _ = connection.changed() => Happening::Moved,
            acknowledged = acknowledgements.message() => Happening::Acknowledged(acknowledged),
            room = chunks.reserve(), if logs.has_chunk() => match room {
                Ok(room) => {
                    if let Some(chunk) = logs.take_chunk() {
                        room.send(to_wire(chunk));
                    }
                    Happening::Room
                }
                Err(_) => Happening::Closed,
            },
            () = logs.written() => Happening::Written,
        };
        match happening {
            Happening::Acknowledged(Ok(Some(acknowledgement))) => {
                backoff.reset();
                note(logs, &acknowledgement);
            }
            Happening::Acknowledged(Ok(None)) => return End::Lost(Status::unavailable("the control plane ended the stream")),
            Happening::Acknowledged(Err(status)) => return End::Lost(status),
            Happening::Closed => return End::Lost(Status::unavailable("the connection is closed")),
            Happening::Moved => return End::Moved,
            // The next turn looks whether there is a chunk to send.
            Happening::Room | Happening::Written => {}
        }
    }
}

fn note(logs: &Logs, acknowledgement: &LogAck) {
    let Ok(task) = acknowledgement.task.parse() else {
        tracing::warn!("an acknowledgement of log lines names no task");
        return;
    };
    if acknowledgement.rejection.is_empty() {
        logs.acknowledge(task, acknowledgement.next);
    } else {
        tracing::warn!(%task, reason = %acknowledgement.rejection, "the control plane takes no more log lines of this task");
        logs.reject(task);
    }
}

fn to_wire(chunk: Chunk) -> LogChunk {
    LogChunk {
        task: chunk.task.to_string(),
        first: chunk.lines.first().map_or(0, |line| line.number),
        lines: chunk.lines.iter().map(line_to_wire).collect(),
        dropped: chunk.dropped,
    }
}
