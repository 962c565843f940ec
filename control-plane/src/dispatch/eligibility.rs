//! Which delegate may take a task, and for those that may not: why, in a sentence each.

use std::sync::Arc;

use domain::{ids::DelegateId, step::StepKind};
use engine::Plan;

use super::{roster::EnrolledDelegate, sessions::Session};

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
}

impl<'a> Need<'a> {
    /// What a step of this kind of a deployment needs, or a question about the deployment.
    pub fn of_plan(plan: &'a Plan, kind: Option<StepKind>) -> Self {
        let selectors = &plan.infrastructure.delegate_selectors;
        Self { kind, selectors, application: &plan.application, environment: &plan.environment }
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

/// The eligible delegate with the fewest tasks.
///
/// # Errors
/// When none is eligible: a sentence for each delegate that ever joined, connected or not.
pub fn choose(
    need: Need<'_>,
    candidates: Vec<Candidate>,
    known: impl FnOnce() -> Vec<Arc<EnrolledDelegate>>,
) -> Result<Arc<Session>, Vec<String>> {
    let eligible = candidates.iter().filter(|one| objection(need, one).is_none());
    if let Some(best) = eligible.min_by_key(|one| (one.load, one.session.delegate)) {
        return Ok(best.session.clone());
    }
    let sentence = |name: &str, id: DelegateId, why: &str| format!("Delegate {name} ({id}) {why}.");
    let mut reasons: Vec<String> = known()
        .iter()
        .map(|delegate| {
            let connected = candidates.iter().find(|one| one.session.delegate == delegate.id);
            let why = match connected {
                None => "is not connected".to_owned(),
                Some(one) => objection(need, one).unwrap_or_default(),
            };
            sentence(&delegate.name, delegate.id, &why)
        })
        .collect();
    if reasons.is_empty() {
        reasons.push("No delegate has joined yet: make a token with \"segue delegate token create\" and start one.".to_owned());
    }
    Err(reasons)
}

#[cfg(test)]
mod tests {
    use domain::{ids::InstanceId, scope::Scope};
    use tokio::sync::mpsc;
    use uuid::Uuid;

    use super::*;
    use crate::dispatch::sessions::Introduction;

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
            revoked: None,
        };
        numbers.iter().map(|number| Arc::new(enrolled(number))).collect()
    }

    #[test]
    fn the_least_loaded_of_the_eligible_is_chosen() {
        let selectors = ["eu".to_owned()];
        let need = Need { kind: Some(StepKind::Note), selectors: &selectors, application: "shop", environment: "prod" };
        let candidates = vec![candidate(1, &["eu"], false, 2), candidate(2, &["eu", "x"], false, 1), candidate(3, &[], false, 0)];
        assert_eq!(choose(need, candidates, Vec::new).map(|session| session.delegate), Ok(delegate(2)));
    }

    #[test]
    fn nobody_eligible_says_why_for_each() {
        let selectors = ["eu".to_owned(), "blue".to_owned()];
        let need = Need { kind: Some(StepKind::HttpCheck), selectors: &selectors, application: "shop", environment: "prod" };
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
        let reasons = choose(need, candidates, || known(&[1, 2, 3, 4, 6])).map(|_| ()).expect_err("nobody");
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
        let none = choose(Need { selectors: &[], ..need }, Vec::new(), Vec::new).map(|_| ()).expect_err("nobody");
        assert!(none[0].starts_with("No delegate has joined yet"));
    }
}
