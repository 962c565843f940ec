//! One end of a connection, as a process holds it: while the process is stopped nothing of it moves.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use runtime::{
    gate::{Gate, Standing},
    tls::Peer,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep_until},
};
use tonic::transport::server::Connected;

use super::pipe::{Arrived, Pipe};

/// The end.
pub struct SimStream {
    pub(super) incoming: Arc<Pipe>,
    pub(super) outgoing: Arc<Pipe>,
    pub(super) gate: Gate,
    /// Who is at the other end, by its certificate.
    pub(super) peer: Peer,
    pub(super) until: Option<Pin<Box<Sleep>>>,
}

impl SimStream {
    fn held_up(&self, context: &Context<'_>) -> Option<Poll<io::Error>> {
        match self.gate.standing() {
            Standing::Running => None,
            Standing::Killed => Some(Poll::Ready(io::ErrorKind::BrokenPipe.into())),
            Standing::Stopped if self.gate.ready(context) => None,
            Standing::Stopped => Some(Poll::Pending),
        }
    }
}

impl AsyncRead for SimStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(held_up) = self.held_up(context) {
            return held_up.map(Err);
        }
        loop {
            match self.incoming.pull(context, buffer.remaining()) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(Arrived::End)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(Arrived::Bytes(bytes))) => {
                    buffer.put_slice(&bytes);
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Ok(Arrived::Later(at))) => {
                    let sleep = self.until.get_or_insert_with(|| Box::pin(sleep_until(at)));
                    if sleep.deadline() != at {
                        sleep.as_mut().reset(at);
                    }
                    if sleep.as_mut().poll(context).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.held_up(context) {
            Some(held_up) => held_up.map(Err),
            None => self.outgoing.push(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.gate.standing() != Standing::Killed {
            self.outgoing.end();
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        // What is closed while the peer still sends is reset, as TCP does; a killed process closes nothing itself.
        if self.gate.standing() != Standing::Killed {
            self.outgoing.end();
        }
    }
}

impl Connected for SimStream {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}
