//! What a step may use, and the rules it can't get around: no AWS call after the step was told to stop, no AWS write without a
//! lease that outlasts it, nothing recorded that is not durable.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    failure::{Effect, Failure, FailureKind},
    step::Checkpoint,
    task::Assignment,
};
use runtime::{backoff::Backoff, chance::Chance, clock::Clock, http::HttpProbe};
use tokio::time::Instant;

use super::{Console, Halt, Hooks, Outcome, Pace, Polling, WaitMemory, promise::Promise};
use crate::{
    aws::{budget::Operation, ports::Aws},
    lease::Reading,
};

/// How long a write that AWS throttles, or can't be reached for, is tried again before the step fails.
const WRITE_PATIENCE: Duration = Duration::from_secs(90);

/// Whether a write whose answer was lost may simply be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The same request twice is the same as once (a goal is set, or a token makes it one request).
    Harmless,
    /// A second request would do it a second time: only one that certainly did nothing is sent again.
    Harmful,
}

/// One attempt of one step, as the step sees it.
pub struct StepContext {
    pub(super) assignment: Assignment,
    pub(super) aws: Option<Aws>,
    pub(super) http: HttpProbe,
    pub(super) console: Console,
    pub(super) hooks: Hooks,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) chance: Chance,
    pub(super) shell_scripts: bool,
    pub(super) polling: Polling,
    pub(super) memory: Arc<WaitMemory>,
    pub(super) write_budget: Duration,
    pub(super) deadline: Instant,
    pub(super) wrote: AtomicBool,
    pub(super) promise: Mutex<Option<Promise>>,
    pub(super) begun: Instant,
}

impl StepContext {
    /// What was assigned: the task, the infrastructure, earlier outputs and checkpoints.
    pub fn assignment(&self) -> &Assignment {
        &self.assignment
    }

    /// AWS, as the infrastructure's role sees it.
    ///
    /// # Errors
    /// For a step that was not connected because its kind needs no AWS.
    pub fn aws(&self) -> Result<&Aws, Failure> {
        self.aws.as_ref().ok_or_else(|| Failure::refused(FailureKind::Policy, "This kind of step is not given access to AWS."))
    }

    /// Questions over HTTP.
    pub fn http(&self) -> &HttpProbe {
        &self.http
    }

    /// Whether the delegate was started to run shell scripts.
    pub fn allows_shell_scripts(&self) -> bool {
        self.shell_scripts
    }

    /// The longest that one AWS write may take.
    pub fn write_budget(&self) -> Duration {
        self.write_budget
    }

    /// Lines for people.
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// Milliseconds since 1970-01-01 UTC, by the delegate's clock.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// How AWS is polled.
    pub fn polling(&self) -> Polling {
        self.polling
    }

    /// What earlier attempts of this step recorded, in order.
    pub fn checkpoints(&self) -> &[Checkpoint] {
        &self.assignment.checkpoints
    }

    /// Makes a fact durable before the step goes on.
    ///
    /// # Errors
    /// When the task is no longer this delegate's.
    pub async fn checkpoint(&self, checkpoint: Checkpoint) -> Outcome<()> {
        let recorded = self.hooks.checkpoints.record(checkpoint).await;
        // A step that was told to stop meanwhile stops for that reason.
        self.go_on()?;
        Ok(recorded?)
    }

    /// Asks whether the step may go on.
    ///
    /// # Errors
    /// When it was cancelled, the delegate is leaving, or the attempt's time is up.
    pub fn go_on(&self) -> Outcome<()> {
        if self.hooks.cancel.is_cancelled() {
            return Err(Halt::Cancelled);
        }
        if self.hooks.drain.is_cancelled() {
            return Err(Halt::HandedBack);
        }
        if Instant::now() >= self.deadline {
            return Err(self.out_of_time("The step did not reach its goal").into());
        }
        Ok(())
    }

    /// One read of AWS, or several at once.
    ///
    /// # Errors
    /// The read's own, or the reason why the step may not go on.
    pub async fn read<T>(&self, call: impl Future<Output = Result<T, Failure>>) -> Outcome<T> {
        self.go_on()?;
        tokio::select! {
            biased;
            answer = call => Ok(answer?),
            stopped = self.stopped() => Err(stopped),
        }
    }

    /// Resolves when the step may not go on, with the reason.
    async fn stopped(&self) -> Halt {
        loop {
            tokio::select! {
                () = self.hooks.cancel.cancelled() => {}
                () = self.hooks.drain.cancelled() => {}
                () = tokio::time::sleep_until(self.deadline) => {}
            }
            if let Err(halt) = self.go_on() {
                return halt;
            }
        }
    }

    /// Waits for the turn of a write.
    async fn turn(&self, operation: Operation) -> Outcome<()> {
        let Some(aws) = &self.aws else { return Ok(()) };
        tokio::select! {
            biased;
            () = aws.budget.turn(operation) => self.go_on(),
            stopped = self.stopped() => Err(stopped),
        }
    }

    /// One change in AWS. Before each try it waits for its turn and then asks the lease, which has to outlast the call and not the
    /// wait; goes on trying for 90 s while AWS throttles or can't be reached.
    ///
    /// # Errors
    /// AWS's refusal; a lost answer if `repeat` is harmful; or the reason why the step may not go on.
    pub async fn write<T, F>(&self, operation: Operation, repeat: Repeat, mut call: impl FnMut() -> F) -> Outcome<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut trying = Duration::ZERO;
        let mut backoff = Backoff::new(self.polling.min.min(Duration::from_millis(500)), Duration::from_secs(8));
        let mut uncertain = false;
        loop {
            self.go_on()?;
            // Not counted as trying: in a crowded account turns come rarely, which is no reason to give up.
            self.turn(operation).await?;
            let tried = Instant::now();
            if !self.is_promised() {
                let permitted = self.hooks.permit.acquire(self.write_budget).await;
                self.go_on()?;
                permitted.map_err(|failure| after_lost_answer(failure, uncertain))?;
            }
            // Set while the call is on its way: whatever ends the step then leaves an effect that nobody knows of.
            let wrote = self.wrote.swap(true, Ordering::Relaxed);
            let failure = match call().await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            if failure.effect == Effect::DidNotHappen && !uncertain {
                self.wrote.store(wrote, Ordering::Relaxed);
            }
            if let Some(aws) = &self.aws {
                aws.budget.failed(operation, &failure);
            }
            uncertain |= failure.effect == Effect::MayHaveHappened;
            let again = failure.transient && (failure.effect == Effect::DidNotHappen || repeat == Repeat::Harmless);
            if !again || trying + tried.elapsed() >= WRITE_PATIENCE {
                return Err(after_lost_answer(failure, uncertain).into());
            }
            self.console.warn(format!("{} Trying again.", failure.message));
            let delay = backoff.next_delay(&mut self.chance.draw());
            self.pause(delay).await?;
            trying += tried.elapsed();
        }
    }

    /// For `length` from now, writes are to need no lease: recorded by `checkpoint`, which says so to the control plane, before it
    /// counts. Only for putting production back: see [`Promise`].
    ///
    /// # Errors
    /// When it could not be recorded.
    pub async fn promise(&self, length: Duration, checkpoint: Checkpoint) -> Outcome<()> {
        let asked = Reading::of(self.clock.as_ref());
        self.checkpoint(checkpoint).await?;
        *self.promise.lock().unwrap_or_else(PoisonError::into_inner) = Some(Promise { asked, length });
        Ok(())
    }

    /// From now on every write needs a lease again.
    pub fn promise_ended(&self) {
        *self.promise.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn is_promised(&self) -> bool {
        let promise = *self.promise.lock().unwrap_or_else(PoisonError::into_inner);
        promise.is_some_and(|promise| promise.allows(self.write_budget, Reading::of(self.clock.as_ref())))
    }

    /// How much longer the delegate that had this step before may put production back by itself.
    pub fn others_promise(&self) -> Duration {
        Duration::from_millis(self.assignment.promised_ms).saturating_sub(self.begun.elapsed())
    }

    /// Waits, unless the step is told to stop.
    ///
    /// # Errors
    /// The reason why the step may not go on.
    pub async fn pause(&self, duration: Duration) -> Outcome<()> {
        self.go_on()?;
        let until = (Instant::now() + duration).min(self.deadline);
        tokio::select! {
            biased;
            () = self.hooks.cancel.cancelled() => {}
            () = self.hooks.drain.cancelled() => {}
            () = tokio::time::sleep_until(until) => {}
        }
        self.go_on()
    }

    /// How much of the attempt's time is left, less a moment in which a wait can still say what it waited for.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).saturating_sub(Duration::from_millis(500))
    }

    /// A wait of this kind that begins now and may take `limit` (and never longer than the attempt).
    pub fn waiting(&self, kind: impl Into<String>, limit: Duration) -> Waiting<'_> {
        let kind = kind.into();
        let pace = Pace::new(self.polling, self.memory.shortest(&kind));
        Waiting { context: self, kind, started: Instant::now(), limit: limit.min(self.remaining()), pace }
    }

    /// A failure for an attempt whose time is up.
    pub fn out_of_time(&self, what: &str) -> Failure {
        let failure = Failure::refused(
            FailureKind::Timeout,
            format!("{what} within the {} s that this attempt may take.", self.assignment.timeout_seconds),
        );
        Failure { effect: self.effect_so_far(), ..failure }
    }

    /// Whether anything may stand in AWS because of this attempt.
    pub fn effect_so_far(&self) -> Effect {
        if self.wrote.load(Ordering::Relaxed) { Effect::MayHaveHappened } else { Effect::DidNotHappen }
    }
}

/// A wait between looks at AWS.
pub struct Waiting<'a> {
    context: &'a StepContext,
    kind: String,
    started: Instant,
    limit: Duration,
    pace: Pace,
}

impl Waiting<'_> {
    /// Time since it began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Pauses before the next look. `changed`: whether the last look differed from the one before it. False: the limit is reached,
    /// and the last look was the last.
    ///
    /// # Errors
    /// The reason why the step may not go on.
    pub async fn again(&mut self, changed: bool) -> Outcome<bool> {
        let elapsed = self.elapsed();
        if elapsed >= self.limit {
            return Ok(false);
        }
        let pause = self.pace.next(elapsed, changed).min(self.limit.saturating_sub(elapsed));
        self.context.pause(pause).await?;
        Ok(true)
    }

    /// What was waited for is there: how long it took is remembered for the next wait of the kind.
    pub fn ended(self) {
        self.context.memory.ended(&self.kind, self.started.elapsed());
    }
}

/// Once an answer was lost, whatever ends the trying leaves the effect uncertain.
fn after_lost_answer(failure: Failure, uncertain: bool) -> Failure {
    if uncertain { Failure { effect: Effect::MayHaveHappened, ..failure } } else { failure }
}
