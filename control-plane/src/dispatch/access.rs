//! Whether a delegate reaches AWS for an infrastructure: it is asked before it is given a step that works there, and what it said is
//! good for a while. Every session remembers what its delegate said, so that nothing outlives the process that said it.
//!
//! Only those are asked that would be given the step: with a thousand delegates, one deployment asks one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{dispatcher::Dispatch, queries::QueryError, sessions::Session};
use domain::{
    discovery::{Query, Subject},
    failure::{Failure, FailureKind},
    infrastructure::InfrastructureSpec,
    step::StepKind,
};

/// How long *yes* is good for. It is asked again in the background from the half of that time on.
const PASS: Duration = Duration::from_secs(300);
/// How long *no* is believed before it is asked again.
const REFUSAL: Duration = Duration::from_secs(15);
/// How long a delegate may take to answer: two of its calls to AWS.
const LIMIT: Duration = Duration::from_secs(20);
/// Infrastructures that are remembered for one session.
const MOST: usize = 256;

/// Where a step works, and when that is asked.
#[derive(Debug, Clone, Copy)]
pub struct Reach<'a> {
    /// Where.
    pub infrastructure: &'a InfrastructureSpec,
    /// Now, on the monotonic clock.
    pub now: Duration,
}

impl<'a> Reach<'a> {
    /// What a step of this kind has to reach; none if it works without AWS.
    pub fn of(kind: StepKind, infrastructure: &'a InfrastructureSpec, now: Duration) -> Option<Self> {
        match kind {
            StepKind::BlueGreenLoadBalancerSetup
            | StepKind::BlueGreenRoute53Setup
            | StepKind::PreviousVersionSetup
            | StepKind::UpgradeContainers
            | StepKind::ShiftTraffic
            | StepKind::SwapTargetGroups
            | StepKind::ChangeRoute53Weights
            | StepKind::CloudWatchAlarms => Some(Self { infrastructure, now }),
            StepKind::HttpCheck
            | StepKind::Note
            | StepKind::Wait
            | StepKind::Approval
            | StepKind::PrometheusCheck
            | StepKind::ShellScript
            | StepKind::Notify => None,
        }
    }
}

/// How a delegate stands towards an infrastructure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It reached it a while ago.
    Passed,
    /// It could not.
    Refused {
        /// Why, as it said.
        why: String,
        /// Permission or policy: time alone mends nothing.
        lasting: bool,
    },
    /// It was not asked, or long ago.
    Unknown,
}

/// What one delegate said, by infrastructure.
#[derive(Default)]
pub struct AccessChecks {
    known: Mutex<BTreeMap<Key, Known>>,
}

/// What makes one way to AWS different from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    region: String,
    cluster: String,
    role: Option<String>,
    external_id: Option<String>,
}

#[derive(Default)]
struct Known {
    said: Option<(Duration, Access)>,
    asking: bool,
}

impl AccessChecks {
    /// How the delegate stands.
    pub fn standing(&self, reach: Reach<'_>) -> Access {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&key(reach.infrastructure)).and_then(|known| known.said.as_ref()) {
            Some((at, Access::Passed)) if reach.now.saturating_sub(*at) < PASS => Access::Passed,
            // A refusal stands until something else is heard: it is asked again all the while.
            Some((_, refused @ Access::Refused { .. })) => refused.clone(),
            Some(_) | None => Access::Unknown,
        }
    }

    /// Whether the delegate is to be asked now. If so, whoever asked this asks the delegate.
    fn due(&self, reach: Reach<'_>) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(reach.infrastructure);
        if known.len() >= MOST && !known.contains_key(&key) {
            known.retain(|_, known| known.asking);
        }
        let known = known.entry(key).or_default();
        let fresh = known.said.as_ref().is_some_and(|(at, said)| {
            let good_for = if *said == Access::Passed { PASS / 2 } else { REFUSAL };
            reach.now.saturating_sub(*at) < good_for
        });
        let due = !known.asking && !fresh;
        known.asking |= due;
        due
    }

    fn heard(&self, infrastructure: &InfrastructureSpec, said: Access, now: Duration) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(key(infrastructure)).or_default();
        known.asking = false;
        if said != Access::Unknown {
            known.said = Some((now, said));
        }
    }
}

fn key(infrastructure: &InfrastructureSpec) -> Key {
    let role = infrastructure.assume_role.as_ref();
    Key {
        region: infrastructure.region.clone(),
        cluster: infrastructure.cluster.clone(),
        role: role.map(|role| role.arn.clone()),
        external_id: role.and_then(|role| role.external_id.clone()),
    }
}

/// What an answer says of the way to AWS. AWS's own faults and throttling say that it was reached.
fn said(answer: Result<(), QueryError>) -> Access {
    match answer {
        Ok(()) => Access::Passed,
        Err(QueryError::Failed(failure)) => judged(&failure),
        Err(QueryError::TimedOut(limit)) => {
            Access::Refused { why: format!("it did not say within {limit:?} whether it reaches AWS"), lasting: false }
        }
        // The session has ended, and what it remembers with it.
        Err(QueryError::Lost) => Access::Unknown,
    }
}

fn judged(failure: &Failure) -> Access {
    let refused = |lasting| Access::Refused { why: failure.to_string(), lasting };
    match failure.kind {
        FailureKind::Authorization | FailureKind::Policy => refused(true),
        FailureKind::Connectivity | FailureKind::Timeout if !answered(failure) => refused(false),
        FailureKind::Connectivity
        | FailureKind::Timeout
        | FailureKind::Application
        | FailureKind::Verification
        | FailureKind::ApprovalRejected => Access::Passed,
    }
}

fn answered(failure: &Failure) -> bool {
    failure.answer.as_ref().is_some_and(|answer| answer.code.is_some())
}

impl Dispatch {
    /// Asks a delegate whether it reaches AWS, unless it was asked a while ago. Who waits for a delegate is woken by the answer.
    pub(super) fn ask_for_access(self: &Arc<Self>, session: &Arc<Session>, reach: Reach<'_>) {
        if !session.access.due(reach) {
            return;
        }
        let (dispatch, session) = (self.clone(), session.clone());
        let query = Query { infrastructure: reach.infrastructure.clone(), subject: Subject::Access };
        self.tasks.spawn_until_cancelled("access check", async move {
            let id = dispatch.queries.draw(dispatch.clock.now_ms());
            let answer = dispatch.queries.ask(&session, id, &query, LIMIT).await;
            let said = said(answer.map(drop));
            if let Access::Refused { why, .. } = &said {
                tracing::info!(delegate = %session.delegate, infrastructure = query.infrastructure.name, why, "a delegate does not reach AWS");
            }
            session.access.heard(&query.infrastructure, said, dispatch.clock.monotonic());
            dispatch.sessions.announce();
        });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::dispatch) fn infrastructure() -> InfrastructureSpec {
        InfrastructureSpec {
            name: "prod".into(),
            region: "eu-west-1".into(),
            cluster: "shop".into(),
            launch_type: None,
            vpc: None,
            subnets: Vec::new(),
            security_groups: Vec::new(),
            assign_public_ip: false,
            execution_role: None,
            assume_role: None,
            delegate_selectors: Vec::new(),
        }
    }

    impl AccessChecks {
        /// As if it had been asked.
        pub(in crate::dispatch) fn remember(&self, infrastructure: &InfrastructureSpec, said: Access, now: Duration) {
            self.heard(infrastructure, said, now);
        }
    }

    #[test]
    fn yes_is_good_for_a_while_and_no_is_asked_again_soon() {
        let (checks, infrastructure) = (AccessChecks::default(), infrastructure());
        let at = |now| Reach { infrastructure: &infrastructure, now };
        let second = Duration::from_secs(1);
        assert_eq!(checks.standing(at(second)), Access::Unknown);
        assert!(checks.due(at(second)) && !checks.due(at(second)), "asked once at a time");
        checks.heard(&infrastructure, Access::Passed, second);
        assert!(!checks.due(at(second + PASS / 4)));
        assert!(checks.due(at(second + PASS / 2)), "asked again while it is still good");
        assert_eq!(checks.standing(at(second + PASS / 2)), Access::Passed);
        assert_eq!(checks.standing(at(second + PASS)), Access::Unknown);
        let refused = Access::Refused { why: "no".into(), lasting: true };
        checks.heard(&infrastructure, refused.clone(), second + PASS);
        assert!(!checks.due(at(second + PASS)) && checks.due(at(second + PASS + REFUSAL)));
        assert_eq!(checks.standing(at(second + PASS + REFUSAL)), refused, "believed until something else is heard");
        checks.heard(&infrastructure, Access::Unknown, second + PASS + REFUSAL);
        assert_eq!(checks.standing(at(second + PASS + REFUSAL)), refused);
        let elsewhere = InfrastructureSpec { region: "us-east-1".into(), ..infrastructure.clone() };
        assert_eq!(checks.standing(Reach { infrastructure: &elsewhere, now: PASS }), Access::Unknown);
    }

    #[test]
    fn what_aws_answered_says_that_it_was_reached_unless_it_refused() {
        let failure = |kind| Failure::refused(kind, "x");
        assert!(matches!(judged(&failure(FailureKind::Authorization)), Access::Refused { lasting: true, .. }));
        assert!(matches!(judged(&failure(FailureKind::Policy)), Access::Refused { lasting: true, .. }));
        assert!(matches!(judged(&failure(FailureKind::Connectivity)), Access::Refused { lasting: false, .. }));
        assert_eq!(judged(&failure(FailureKind::Application)), Access::Passed);
        let mut throttled = failure(FailureKind::Connectivity);
        throttled.answer = Some(Box::new(domain::failure::PeerAnswer {
            operation: "ecs:DescribeClusters".into(),
            code: Some("ThrottlingException".into()),
            message: Some("Rate exceeded".into()),
            request_id: None,
        }));
        assert_eq!(judged(&throttled), Access::Passed);
        assert!(matches!(said(Err(QueryError::TimedOut(LIMIT))), Access::Refused { lasting: false, .. }));
    }
}
