//! Whose calls share a budget: those of one account in one region. Route 53's limits are the account's in all regions together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::failure::Failure;

use super::{
    groups::Operation,
    lane::{self, Lane},
    turns::Turns,
};

/// How long calls that can be shared are gathered while one is on its way: a quarter of the shortest time between two questions of
/// one step.
const GATHERING: Duration = Duration::from_millis(250);

/// The budgets of all accounts that this delegate calls AWS for.
#[derive(Debug)]
pub struct Budgets {
    /// None: no limits at all.
    speed: Option<f64>,
    turns: Mutex<HashMap<Place, Arc<Turns>>>,
}

/// An account as far as it is known without asking: that of the role that is assumed, or the one of the delegate's own credentials.
type Account = Option<String>;

/// An account in a region; none: what AWS has only one of, as Route 53.
type Place = (Account, Option<String>);

impl Budgets {
    /// A little below the rates that AWS publishes, times `rate`: below 1 for a delegate that shares an account, above it for an
    /// account with raised quotas (or a simulated AWS whose clock runs faster). Bursts stay what they are.
    pub fn published(rate: f64) -> Self {
        Self { speed: Some(rate), turns: Mutex::default() }
    }

    /// No limits: every call is sent at once, and none is shared with another's.
    pub fn unlimited() -> Self {
        Self { speed: None, turns: Mutex::default() }
    }

    /// The budget in this region of the account that `role` (an ARN) is of; without one, of the delegate's own.
    pub fn of(&self, role: Option<&str>, region: &str) -> Budget {
        let Some(speed) = self.speed else { return Budget::default() };
        let account: Account = role.and_then(|arn| arn.split(':').nth(4)).map(str::to_owned);
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = |region: Option<&str>| {
            turns.entry((account.clone(), region.map(str::to_owned))).or_insert_with(|| Arc::new(Turns::new(speed))).clone()
        };
        Budget(Some(Limited { region: at(Some(region)), global: at(None), window: GATHERING.div_f64(speed.max(1.0)) }))
    }
}

/// What calls of one account in one region may be made. The default has no limits.
#[derive(Debug, Clone, Default)]
pub struct Budget(Option<Limited>);

#[derive(Debug, Clone)]
struct Limited {
    region: Arc<Turns>,
    global: Arc<Turns>,
    window: Duration,
}

impl Budget {
    fn turns(&self, operation: Operation) -> Option<&Turns> {
        let limited = self.0.as_ref()?;
        Some(if operation.is_global() { &limited.global } else { &limited.region })
    }

    /// Whether there are limits.
    pub fn is_limited(&self) -> bool {
        self.0.is_some()
    }

    /// How long a call that others can join waits for them, while one like it is on its way. None: calls are not shared.
    pub fn window(&self) -> Option<Duration> {
        Some(self.0.as_ref()?.window)
    }

    /// Waits for the turn of a call in the lane of whoever asks (see [`lane::within`]). Dropped before its end, it takes nothing.
    pub async fn turn(&self, operation: Operation) {
        self.turn_in(lane::current(), operation).await;
    }

    /// The same in this lane.
    pub async fn turn_in(&self, lane: Lane, operation: Operation) {
        if let Some(turns) = self.turns(operation) {
            turns.take(operation.groups(), lane).await;
        }
    }

    /// The answer took so many calls more than the one whose turn was waited for (pages).
    pub fn charge(&self, operation: Operation, calls: usize) {
        if let Some(turns) = self.turns(operation).filter(|_| calls > 0) {
            turns.charge(operation.groups(), calls);
        }
    }

    /// A call failed: if because AWS throttled it, all calls like it slow down. Tells whether it was that.
    pub fn failed(&self, operation: Operation, failure: &Failure) -> bool {
        let code = failure.answer.as_ref().and_then(|answer| answer.code.as_deref());
        let throttled = code.is_some_and(crate::aws::throttling::is_throttling);
        if throttled
            && let Some(turns) = self.turns(operation)
            && let Some(part) = turns.throttled(operation.groups())
        {
            tracing::warn!(
                ?operation,
                percent = (part * 100.0).round(),
                "AWS throttles: calls like this slow down to that part of their rate"
            );
        }
        throttled
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    async fn twenty(budget: &Budget, operation: Operation) -> Duration {
        let began = Instant::now();
        for _ in 0..20 {
            budget.turn(operation).await;
        }
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_has_one_budget_in_each_region_and_one_for_dns() {
        let budgets = Budgets::published(1.0);
        let (role, same) = ("arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/b");
        let register = Operation::RegisterTaskDefinition;
        assert!(twenty(&budgets.of(Some(role), "eu-west-1"), register).await > Duration::from_secs(1));
        assert!(twenty(&budgets.of(Some(same), "eu-west-1"), register).await > Duration::from_secs(20), "the same account");
        assert!(twenty(&budgets.of(Some(role), "us-east-1"), register).await < Duration::from_secs(2), "another region");
        assert!(twenty(&budgets.of(None, "eu-west-1"), register).await < Duration::from_secs(2), "the delegate's own account");
        for region in ["eu-west-1", "us-east-1"] {
            assert!(twenty(&budgets.of(Some(role), region), Operation::Dns).await < Duration::from_millis(1));
        }
        assert!(twenty(&budgets.of(Some(role), "eu-west-1"), Operation::Dns).await > Duration::from_secs(1), "DNS is global");
    }

    #[tokio::test(start_paused = true)]
    async fn without_limits_nothing_waits() {
        let budget = Budgets::unlimited().of(None, "eu-west-1");
        assert!(!budget.is_limited());
        assert_eq!(twenty(&budget, Operation::RegisterTaskDefinition).await, Duration::ZERO);
        assert_eq!(twenty(&budget, Operation::RegisterTaskDefinition).await, Duration::ZERO);
    }
}
