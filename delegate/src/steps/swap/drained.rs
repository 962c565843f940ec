//! Whether the old version's requests are gone, as CloudWatch counts them.
//!
//! CloudWatch dates requests by the minute, leaves out minutes without any, and has its numbers up to a minute late. So a minute
//! counts only when it began after the switch, is over for a minute, and has requests of the *new* version: then the numbers are
//! there, and none for the old version means none.

use std::{collections::BTreeMap, time::Duration};

use domain::step::{OldService, RoutePair};
use tokio::time::Instant;

use crate::{
    aws::metrics::{GroupBehind, PeriodStart},
    executor::{Halt, Outcome, StepContext},
};

/// How finely CloudWatch dates what load balancers count.
const PERIOD: Duration = Duration::from_secs(60);
/// The lengths of a period that CloudWatch takes, in seconds.
const LENGTHS: [u64; 5] = [1, 5, 10, 30, 60];
/// Pause between two looks.
const LOOK: Duration = Duration::from_secs(15);

/// What one look tells of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen {
    /// No minute has numbers of the new version yet.
    Nothing,
    /// In the newest minute that can be judged the old version got so many requests.
    Old(f64),
}

/// Waits until the old version's target groups were without a request for a whole minute, at most until `limit` after the switch.
pub(super) async fn drained(
    context: &StepContext,
    pairs: &[RoutePair],
    old: &OldService,
    switched_at_ms: i64,
    limit: Duration,
) -> Outcome<()> {
    let console = context.console();
    let passed = Duration::from_millis(u64::try_from(context.now_ms().saturating_sub(switched_at_ms)).unwrap_or(0));
    let ends = Instant::now() + limit.saturating_sub(passed);
    let counted = pairs.iter().all(|pair| !pair.load_balancer.contains(":loadbalancer/net/"));
    let mut told = None;
    if counted {
        console.info(format!("Waiting until {} gets no requests, at most {} s after the switch", old.name, limit.as_secs_f64()));
    } else {
        console.info("CloudWatch counts no requests behind a Network Load Balancer: the drain time is waited for whole");
    }
    let mut able = counted;
    loop {
        if able {
            match look(context, pairs, switched_at_ms).await {
                Ok(seen) if seen.iter().all(|seen| *seen == Seen::Old(0.0)) => {
                    console.info(format!("CloudWatch counted a minute without a request for {}", old.name));
                    return Ok(());
                }
                Ok(seen) => {
                    let requests = seen.iter().try_fold(0.0, |sum, seen| match seen {
                        Seen::Nothing => None,
                        Seen::Old(requests) => Some(sum + requests),
                    });
                    if requests.is_some() && requests != told {
                        let requests = requests.unwrap_or_default();
                        console.info(format!("{} still got {requests} requests in a minute", old.name));
                    }
                    told = requests.or(told);
                }
                Err(Halt::Failed(failure)) => {
                    // Said once: whoever has no right to read metrics has none a moment later.
                    console
                        .warn(format!("The drain time is waited for whole, for requests can't be counted: {}", failure.message));
                    able = false;
                }
                Err(halt) => return Err(halt),
            }
        }
        let rest = ends.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            let known = match told {
                Some(requests) if requests > 0.0 => format!("; {} got {requests} requests in the last minute counted", old.name),
                _ => String::new(),
            };
            console.info(format!("The drain time of {} s has passed{known}", limit.as_secs_f64()));
            return Ok(());
        }
        context.pause(if able { context.polling().aws_time(LOOK).min(rest) } else { rest }).await?;
    }
}

async fn look(context: &StepContext, pairs: &[RoutePair], switched_at_ms: i64) -> Outcome<Vec<Seen>> {
    let length = context.polling().aws_time(PERIOD).as_secs_f64();
    // Of an AWS whose clock runs faster, what is a minute there; of the real one a minute.
    #[expect(clippy::cast_precision_loss, reason = "at most 60")]
    let period = LENGTHS.into_iter().find(|seconds| *seconds as f64 >= length).unwrap_or(60);
    let seconds = i64::try_from(period).unwrap_or(60);
    let first = switched_at_ms.div_euclid(1_000 * seconds) * seconds + seconds;
    let now = context.now_ms().div_euclid(1_000);
    if now < first + 2 * seconds {
        return Ok(vec![Seen::Nothing; pairs.len()]);
    }
    let behind =
        |pair: &RoutePair, group: &str| GroupBehind { load_balancer: pair.load_balancer.clone(), target_group: group.to_owned() };
    let groups: Vec<_> =
        pairs.iter().flat_map(|pair| [behind(pair, &pair.new_target_group), behind(pair, &pair.old_target_group)]).collect();
    let metrics = &context.aws()?.metrics;
    let counts = context.read(metrics.requests(&groups, Duration::from_secs(period), first, now + 1)).await?;
    Ok(counts.chunks(2).map(|of_pair| judge(of_pair, now - 2 * seconds)).collect())
}

/// `counts` are those of the new and of the old version; periods that begin after `newest` are not over for long enough.
fn judge(counts: &[BTreeMap<PeriodStart, f64>], newest: PeriodStart) -> Seen {
    let [new, old] = counts else { return Seen::Nothing };
    let judged = new.iter().rev().find(|(begins, requests)| **begins <= newest && **requests > 0.0);
    judged.map_or(Seen::Nothing, |(begins, _)| Seen::Old(old.get(begins).copied().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(new: &[(i64, f64)], old: &[(i64, f64)]) -> Seen {
        judge(&[new.iter().copied().collect(), old.iter().copied().collect()], 120)
    }

    #[test]
    fn only_a_minute_that_has_numbers_of_the_new_version_is_judged() {
        assert_eq!(judged(&[], &[]), Seen::Nothing, "no numbers are not none");
        assert_eq!(judged(&[], &[(60, 4.0)]), Seen::Nothing);
        assert_eq!(judged(&[(180, 9.0)], &[]), Seen::Nothing, "the minute is too young");
        assert_eq!(judged(&[(60, 9.0)], &[(60, 4.0)]), Seen::Old(4.0));
        assert_eq!(judged(&[(60, 9.0), (120, 9.0), (180, 9.0)], &[(60, 4.0)]), Seen::Old(0.0));
        assert_eq!(judged(&[(60, 9.0), (120, 9.0)], &[(120, 1.0), (180, 7.0)]), Seen::Old(1.0));
    }
}
