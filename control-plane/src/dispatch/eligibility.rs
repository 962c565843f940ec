//! Which delegate may take a task, and for those that may not: why, in a sentence each.

use std::{sync::Arc, time::Duration};

use domain::{ids::DelegateId, step::StepKind, task::Direction};
use engine::Plan;

use super::{
    access::{Access, Reach},
    roster::EnrolledDelegate,
    sessions::Session,
};

/// What a delegate must be able to do.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// The kind of step; none for a question.
    pub kind: Option<StepKind>,
    /// Selectors that it must all bear.
    pub selectors: &'a [String],
    /// The application that it is for.
    pub application: &'a str,
    /// The environment.
    pub environment: &'a str,
    /// What it must have reached lately; none: that is for the task itself to find out.
    pub reach: Option<Reach<'a>>,
}

impl<'a> Need<'a> {
    /// What a step of this kind of a deployment needs, or a question about the deployment.
    pub fn of_plan(plan: &'a Plan, kind: Option<StepKind>) -> Self {
        let selectors = &plan.infrastructure.delegate_selectors;
        Self { kind, selectors, application: &plan.application, environment: &plan.environment, reach: None }
    }

    /// What a task needs. An undo asks nobody whether AWS is reached: it is owed, and whoever can try it is to try it.
    pub fn of_task(plan: &'a Plan, kind: StepKind, direction: Direction, now: Duration) -> Self {
        let reach = match direction {
            Direction::Perform => Reach::of(kind, &plan.infrastructure, now),
            Direction::Undo => None,
        };
        Self { reach, ..Self::of_plan(plan, Some(kind)) }
    }
}

/// A connected delegate and how it stands.
pub struct Candidate {
    /// What is known of it since it joined.
    pub enrolled: Arc<EnrolledDelegate>,
    /// Its session.
    pub session: Arc<Session>,
    /// Whether its lease runs.
    pub leased: bool,
    /// How many tasks it holds.
    pub load: usize,
}

/// Why this delegate may not take it; none if it may.
pub fn objection(need: Need<'_>, candidate: &Candidate) -> Option<String> {
    let session = &candidate.session;
    let missing: Vec<&str> =
        need.selectors.iter().filter(|selector| !session.selectors.contains(*selector)).map(String::as_str).collect();
    if session.draining() {
        Some("is draining and takes no new tasks".to_owned())
    } else if let Some(what) = candidate.enrolled.scope.lacks(need.application, need.environment) {
        Some(format!("is not for {what} (its scope: {})", candidate.enrolled.scope))
    } else if !missing.is_empty() {
        Some(format!("does not bear the selector{} {}", if missing.len() == 1 { "" } else { "s" }, missing.join(", ")))
    } else if let Some(kind) = need.kind.filter(|kind| !session.kinds.contains(kind)) {
        Some(format!("is of version {} and does not know the step {}", session.version, kind.as_str()))
    } else if !candidate.leased {
        Some("is connected but has not renewed its lease".to_owned())
    } else {
        None
    }
}

/// How a delegate that nothing else speaks against stands towards AWS. One that can't be asked, being older, is taken at its word.
pub fn access(need: Need<'_>, session: &Session) -> Access {
    match need.reach {
        Some(reach) if session.tells_access => session.access.standing(reach),
        Some(_) | None => Access::Passed,
    }
}

/// Why a delegate that nothing else speaks against may not take it now: it does not reach AWS.
pub fn out_of_reach(need: Need<'_>, session: &Session) -> Option<String> {
    match access(need, session) {
        Access::Passed | Access::Unknown => None,
        Access::Refused { why, .. } => Some(format!("cannot work there: {why}")),
    }
}

/// Who takes it.
pub struct Choice {
    /// The delegate, or why there is none: a sentence for each that ever joined, connected or not. No sentence while the answers of
    /// those who were asked are waited for.
    pub taker: Result<Arc<Session>, Vec<String>>,
    /// Who is to be asked whether it reaches AWS, if it was not asked lately.
    pub ask: Vec<Arc<Session>>,
}

/// How many delegates are asked at once whether they reach AWS, while nobody is known to.
const ASKED: usize = 3;

/// The eligible delegate with the fewest tasks, the preferred one before all.
///
/// If every delegate there is may take it but for AWS's or its own policy's *no*, waiting helps nobody: the first of them takes it, and
/// its failure says what AWS said.
pub fn choose(
    need: Need<'_>,
    preferred: Option<DelegateId>,
    candidates: &[Candidate],
    known: impl FnOnce() -> Vec<Arc<EnrolledDelegate>>,
) -> Choice {
    let mut able: Vec<&Candidate> = candidates.iter().filter(|one| objection(need, one).is_none()).collect();
    able.sort_by_key(|one| (Some(one.session.delegate) != preferred, one.load, one.session.delegate));
    let standing: Vec<(&Candidate, Access)> = able.into_iter().map(|one| (one, access(need, &one.session))).collect();
    let passed = standing.iter().find(|(_, access)| *access == Access::Passed).map(|(one, _)| one.session.clone());
    let asked = if passed.is_some() { 1 } else { standing.len() };
    let refused = |access: &Access| matches!(access, Access::Refused { .. });
    // Those that said no are asked again in their turn, beside and not before those that said nothing yet.
    let (no, open): (Vec<_>, Vec<_>) = standing.iter().take(asked).partition(|(_, access)| refused(access));
    let ask = open.into_iter().take(ASKED).chain(no).map(|(one, _)| one.session.clone()).chain(passed.clone()).collect();
    if let Some(session) = passed {
        return Choice { taker: Ok(session), ask };
    }
    if standing.iter().any(|(_, access)| *access == Access::Unknown) {
        return Choice { taker: Err(Vec::new()), ask };
    }
    let known = known();
    let everybody = known.iter().all(|delegate| candidates.iter().any(|one| one.session.delegate == delegate.id));
    let for_good = |access: &Access| matches!(access, Access::Refused { lasting: true, .. });
    if let Some((first, _)) = standing.first().filter(|_| everybody && standing.iter().all(|(_, access)| for_good(access))) {
        return Choice { taker: Ok(first.session.clone()), ask };
    }
    let sentence = |name: &str, id: DelegateId, why: &str| format!("Delegate {name} ({id}) {why}.");
    let mut reasons: Vec<String> = known
        .iter()
        .map(|delegate| {
            let connected = candidates.iter().find(|one| one.session.delegate == delegate.id);
            let why = match connected {
                None => "is not connected".to_owned(),
                Some(one) => objection(need, one).or_else(|| out_of_reach(need, &one.session)).unwrap_or_default(),
            };
            sentence(&delegate.name, delegate.id, why.trim_end_matches('.'))
        })
        .collect();
    if reasons.is_empty() {
        reasons.push("No delegate has joined yet: make a token with \"segue delegate token create\" and start one.".to_owned());
    }
    Choice { taker: Err(reasons), ask }
}

#[cfg(test)]
mod tests {
    use domain::{ids::InstanceId, scope::Scope};
    use tokio::sync::mpsc;
    use uuid::Uuid;

    use super::*;
    use crate::dispatch::{access::tests::infrastructure, sessions::Introduction};

    fn delegate(number: u128) -> DelegateId {
        DelegateId::new(Uuid::from_u128(number))
    }

    fn candidate(number: u128, selectors: &[&str], draining: bool, load: usize) -> Candidate {
        let (down, _) = mpsc::channel(1);
        let introduction = Introduction {
            delegate: delegate(number),
            instance: InstanceId::new(Uuid::from_u128(number)),
            name: format!("d{number}"),
            version: "1.0.0".into(),
            kinds: [StepKind::Note].into(),
            selectors: selectors.iter().map(|selector| (*selector).to_owned()).collect(),
            tells_access: true,
            draining,
        };
        let enrolled = known(&[number]).remove(0);
        Candidate { enrolled, session: Arc::new(Session::new(introduction, down, 0)), leased: true, load }
    }

    fn known(numbers: &[u128]) -> Vec<Arc<EnrolledDelegate>> {
        let enrolled = |number: &u128| EnrolledDelegate {
            id: delegate(*number),
            name: format!("d{number}"),
            enrolled_at_ms: 0,
            serial: String::new(),
            certificate_ends_ms: 0,
            scope: Scope::default(),
            identity: None,
            trusts: String::new(),
            revoked: None,
        };
        numbers.iter().map(|number| Arc::new(enrolled(number))).collect()
    }

    #[test]
    fn the_least_loaded_of_the_eligible_is_chosen() {
        let selectors = ["eu".to_owned()];
        let need =
            Need { kind: Some(StepKind::Note), selectors: &selectors, application: "shop", environment: "prod", reach: None };
        let candidates = vec![candidate(1, &["eu"], false, 2), candidate(2, &["eu", "x"], false, 1), candidate(3, &[], false, 0)];
        let chosen = |preferred| choose(need, preferred, &candidates, Vec::new).taker.map(|session| session.delegate);
        assert_eq!((chosen(None), chosen(Some(delegate(1)))), (Ok(delegate(2)), Ok(delegate(1))));
    }

    #[test]
    fn nobody_eligible_says_why_for_each() {
        let selectors = ["eu".to_owned(), "blue".to_owned()];
        let need = Need {
            kind: Some(StepKind::HttpCheck),
            selectors: &selectors,
            application: "shop",
            environment: "prod",
            reach: None,
        };
        let mut elsewhere = candidate(6, &["eu", "blue"], false, 0);
        let scope = Scope { environments: ["test".to_owned()].into(), ..Scope::default() };
        elsewhere.enrolled = Arc::new(EnrolledDelegate { scope, ..(*elsewhere.enrolled).clone() });
        let mut lapsed = candidate(5, &["eu", "blue"], false, 0);
        lapsed.leased = false;
        let candidates = vec![
            candidate(1, &["eu", "blue"], true, 0),
            candidate(2, &["eu"], false, 0),
            candidate(3, &["eu", "blue"], false, 0),
            lapsed,
            elsewhere,
        ];
        let chosen = choose(need, None, &candidates, || known(&[1, 2, 3, 4, 6]));
        let reasons = chosen.taker.map(|_| ()).expect_err("nobody");
        let whys: Vec<&str> = reasons.iter().map(|reason| reason.split_once(") ").expect("a sentence").1).collect();
        assert_eq!(
            whys,
            [
                "is draining and takes no new tasks.",
                "does not bear the selector blue.",
                "is of version 1.0.0 and does not know the step httpCheck.",
                "is not connected.",
                "is not for the environment prod (its scope: environments test)."
            ]
        );
        let none = choose(Need { selectors: &[], ..need }, None, &[], Vec::new).taker.map(|_| ()).expect_err("nobody");
        assert!(none[0].starts_with("No delegate has joined yet"));
    }

    #[test]
    fn whoever_reaches_aws_is_chosen_and_few_are_asked() {
        let infrastructure = infrastructure();
        let now = Duration::from_secs(1);
        let reach = Some(Reach { infrastructure: &infrastructure, now });
        let need = Need { kind: Some(StepKind::Note), selectors: &[], application: "shop", environment: "prod", reach };
        let candidates: Vec<Candidate> = (1..=6).map(|number| candidate(number, &[], false, 0)).collect();
        let ids = |sessions: &[Arc<Session>]| sessions.iter().map(|session| session.delegate).collect::<Vec<_>>();
        let choose = |candidates: &[Candidate]| choose(need, None, candidates, || known(&[1, 2, 3, 4, 5, 6]));
        let says = |number: usize, said: Access| candidates[number - 1].session.access.remember(&infrastructure, said, now);
        let no = |lasting| Access::Refused { why: "the role may not be assumed.".into(), lasting };

        let asked = choose(&candidates);
        assert_eq!(ids(&asked.ask), [delegate(1), delegate(2), delegate(3)], "a few at a time");
        assert_eq!(asked.taker.map(|_| ()), Err(Vec::new()), "the answer is waited for without a word");

        says(1, no(true));
        says(3, Access::Passed);
        let chosen = choose(&candidates);
        assert_eq!(chosen.taker.map(|session| session.delegate), Ok(delegate(3)));

        let two = &candidates[..2];
        says(2, no(false));
        let waiting = choose(two);
        assert_eq!(ids(&waiting.ask), [delegate(1), delegate(2)], "asked again, in time");
        let reasons = waiting.taker.map(|_| ()).expect_err("nobody");
        assert!(reasons[0].ends_with("cannot work there: the role may not be assumed."), "{reasons:?}");
        assert!(reasons[2].ends_with("is not connected."));

        says(2, no(true));
        assert!(choose(two).taker.is_err(), "another delegate may come and can");
        let everybody = super::choose(need, None, two, || known(&[1, 2]));
        assert_eq!(everybody.taker.map(|session| session.delegate), Ok(delegate(1)), "the failure says it best");
    }
}
