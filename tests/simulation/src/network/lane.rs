//! One direction between a host and the control plane.

use std::{
    future::poll_fn,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};

/// The direction.
pub struct Lane(Mutex<State>);

struct State {
    cut: bool,
    delay_ms: (u64, u64),
    rng: StdRng,
    waiting: Vec<Waker>,
}

impl Lane {
    /// An open one with delays of its own.
    pub fn new(seed: u64) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        Self(Mutex::new(State { cut: false, delay_ms: (1, 20), rng, waiting: Vec::new() }))
    }

    /// Nothing passes from now on, or everything again.
    pub fn cut(&self, cut: bool) {
        let mut state = self.lock();
        state.cut = cut;
        if !cut {
            state.waiting.drain(..).for_each(Waker::wake);
        }
    }

    /// What passes takes from `from` to `to` milliseconds.
    pub fn delays(&self, from: u64, to: u64) {
        self.lock().delay_ms = (from, to);
    }

    /// How long the next one takes.
    pub(super) fn delay(&self) -> Duration {
        let mut state = self.lock();
        let (from, to) = state.delay_ms;
        Duration::from_millis(state.rng.random_range(from..=to))
    }

    /// Whether anything passes now; if not, the task is woken when it does.
    pub(super) fn ready(&self, context: &Context<'_>) -> bool {
        let mut state = self.lock();
        if state.cut {
            state.waiting.push(context.waker().clone());
        }
        !state.cut
    }

    /// Waits until something passes.
    pub(super) async fn open(&self) {
        poll_fn(|context| if self.ready(context) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
