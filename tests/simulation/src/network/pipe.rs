//! What one end of a connection has sent and the other has not read yet.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use tokio::time::Instant;

use super::Lane;

/// Bytes that may be on their way.
const WINDOW: usize = 256 * 1024;

/// One direction of one connection.
pub struct Pipe {
    pub(super) lane: Arc<Lane>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What arrives when; none is the end.
    queue: VecDeque<(Instant, Option<Bytes>)>,
    bytes: usize,
    broken: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What there is to read.
pub(super) enum Arrived {
    Bytes(Bytes),
    End,
    /// Not before then.
    Later(Instant),
}

impl Pipe {
    pub(super) fn new(lane: Arc<Lane>) -> Self {
        Self { lane, state: Mutex::default() }
    }

    /// Whoever reads or writes here is told that the connection was reset.
    pub fn reset(&self) {
        let mut state = self.lock();
        state.broken = true;
        wake(&mut state.reader);
        wake(&mut state.writer);
    }

    pub(super) fn push(&self, context: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.lock();
        if state.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if state.bytes >= WINDOW {
            state.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        state.bytes += bytes.len();
        self.enter(&mut state, Some(Bytes::copy_from_slice(bytes)));
        Poll::Ready(Ok(bytes.len()))
    }

    /// The writing end has said everything.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        self.enter(&mut state, None);
    }

    fn enter(&self, state: &mut State, what: Option<Bytes>) {
        let soonest = Instant::now() + self.lane.delay();
        let at = state.queue.back().map_or(soonest, |(last, _)| soonest.max(*last));
        state.queue.push_back((at, what));
        wake(&mut state.reader);
    }

    pub(super) fn pull(&self, context: &Context<'_>, most: usize) -> Poll<io::Result<Arrived>> {
        if !self.lane.ready(context) {
            return Poll::Pending;
        }
        let mut state = self.lock();
        if state.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let arrived = match state.queue.front_mut() {
            None => {
                state.reader = Some(context.waker().clone());
                return Poll::Pending;
            }
            Some((at, _)) if *at > Instant::now() => return Poll::Ready(Ok(Arrived::Later(*at))),
            Some((_, None)) => Arrived::End,
            Some((_, Some(bytes))) if bytes.len() > most => Arrived::Bytes(bytes.split_to(most)),
            Some((_, Some(bytes))) => Arrived::Bytes(std::mem::take(bytes)),
        };
        if let Arrived::Bytes(bytes) = &arrived {
            state.bytes -= bytes.len();
            if state.queue.front().is_some_and(|(_, left)| left.as_ref().is_some_and(Bytes::is_empty)) {
                state.queue.pop_front();
            }
            wake(&mut state.writer);
        }
        Poll::Ready(Ok(arrived))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
