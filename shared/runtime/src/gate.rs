//! Holds the tasks of a process from outside, as a machine would: lets them run, stops them where they stand (`SIGSTOP`, a machine
//! that is suspended), or never lets them run again (`SIGKILL`). The simulation puts several processes into one and gives each
//! its gate; a program that is a process of its own has none.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// A gate. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    /// Entered whenever a task runs, so that what it says can be told apart.
    span: tracing::Span,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    standing: Standing,
    waiting: Vec<Waker>,
}

/// What the tasks behind a gate may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Run.
    #[default]
    Running,
    /// Nothing, until it is opened again.
    Stopped,
    /// Nothing any more.
    Killed,
}

impl Gate {
    /// An open gate. Whatever its tasks say is said within `span`.
    pub fn new(span: tracing::Span) -> Self {
        Self(Arc::new(Inner { span, state: Mutex::default() }))
    }

    /// From now on no task goes on.
    pub fn stop(&self) {
        let mut state = self.lock();
        if state.standing == Standing::Running {
            state.standing = Standing::Stopped;
        }
    }

    /// They go on where they stand, unless they were killed.
    pub fn go_on(&self) {
        let mut state = self.lock();
        if state.standing == Standing::Stopped {
            state.standing = Standing::Running;
            state.waiting.drain(..).for_each(Waker::wake);
        }
    }

    /// No task ever goes on again. What they hold is dropped with the runtime only, as nothing of a killed process runs any more.
    pub fn kill(&self) {
        let mut state = self.lock();
        state.standing = Standing::Killed;
        state.waiting.drain(..).for_each(Waker::wake);
    }

    /// What its tasks may do.
    pub fn standing(&self) -> Standing {
        self.lock().standing
    }

    /// Whether a task may go on now. If not, it is woken when that changes.
    pub fn ready(&self, context: &Context<'_>) -> bool {
        let mut state = self.lock();
        if state.standing == Standing::Stopped {
            state.waiting.push(context.waker().clone());
        }
        state.standing == Standing::Running
    }

    /// Polls a task of this process, if it may go on.
    pub(crate) fn poll<F: Future>(&self, task: Pin<&mut F>, context: &mut Context<'_>) -> Poll<F::Output> {
        if !self.ready(context) {
            return Poll::Pending;
        }
        let _within = self.0.span.enter();
        task.poll(context)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::tasks::Tasks;

    #[tokio::test(start_paused = true)]
    async fn a_stopped_task_goes_on_where_it_stood_and_a_killed_one_never() {
        let gate = Gate::new(tracing::Span::none());
        let tasks = Tasks::gated(CancellationToken::new(), gate.clone());
        let seconds = Arc::new(AtomicU32::new(0));
        let counted = seconds.clone();
        tasks.spawn("counts", async move {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        let after = async |wait: u64| {
            tokio::time::sleep(Duration::from_millis(wait * 1_000 + 500)).await;
            seconds.load(Ordering::Relaxed)
        };
        assert_eq!(after(2).await, 2);
        gate.stop();
        assert_eq!(after(10).await, 2);
        gate.go_on();
        assert_eq!((gate.standing(), after(1).await), (Standing::Running, 4));
        gate.kill();
        gate.go_on();
        assert_eq!((gate.standing(), after(10).await), (Standing::Killed, 4));
    }
}
