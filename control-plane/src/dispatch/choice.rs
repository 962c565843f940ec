//! Who of the delegates takes a task or a question, and for people: who could have, and why the others could not.

use std::sync::Arc;

use domain::ids::{DelegateId, DeploymentId};
use engine::{Next, next};

use super::{
    dispatcher::Dispatch,
    eligibility::{self, Candidate, Need},
    error::DispatchError,
    roster::EnrolledDelegate,
    sessions::Session,
};

/// How every delegate stands towards what a deployment wants now.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// Name of the step that is held or wanted; none while nothing but time or a person's word is waited for.
    pub step: Option<String>,
    /// A verdict for each delegate that joined and was not revoked, by name.
    pub verdicts: Vec<Verdict>,
}

/// How one delegate stands.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Which.
    pub delegate: Arc<EnrolledDelegate>,
    /// It works on the step now.
    pub holds: bool,
    /// Why it may not take it, as the rest of a sentence (`is not connected`); none: it may.
    pub objection: Option<String>,
    /// How many tasks it holds.
    pub load: usize,
}

impl Dispatch {
    /// A delegate that may answer questions about an infrastructure.
    ///
    /// # Errors
    /// When none is eligible: why not, a sentence for each.
    pub fn eligible(&self, need: Need<'_>) -> Result<Arc<Session>, Vec<String>> {
        eligibility::choose(need, None, &self.candidates(), || self.roster.standing()).taker
    }

    /// The delegate for a task: the preferred one before the others. Those of whom it is not known whether they reach AWS are asked.
    ///
    /// # Errors
    /// When nobody takes it now: why not, a sentence for each; none while answers are waited for.
    pub(super) fn taker(self: &Arc<Self>, need: Need<'_>, preferred: Option<DelegateId>) -> Result<Arc<Session>, Vec<String>> {
        let choice = eligibility::choose(need, preferred, &self.candidates(), || self.roster.standing());
        if let Some(reach) = need.reach {
            choice.ask.iter().filter(|session| session.tells_access).for_each(|session| self.ask_for_access(session, reach));
        }
        choice.taker
    }

    /// Every connected delegate and how it stands.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        self.sessions.all().into_iter().filter_map(|session| self.candidate(session)).collect()
    }

    /// A connected delegate and how it stands; none: it is not known any more.
    pub(super) fn candidate(&self, session: Arc<Session>) -> Option<Candidate> {
        let enrolled = self.roster.get(session.delegate).filter(|enrolled| enrolled.revoked.is_none())?;
        Some(Candidate {
            leased: !self.leases.remaining(session.instance, self.clock.monotonic()).is_zero(),
            load: self.leases.load(session.instance),
            enrolled,
            session,
        })
    }

    /// Who could take what the deployment wants now, and why the others could not.
    ///
    /// # Errors
    /// When there is no such deployment, it has ended, or it can't be read.
    pub async fn explain(&self, id: DeploymentId) -> Result<Explanation, DispatchError> {
        let deployment = self.records.load(id).await?.ok_or(DispatchError::NotFound(id))?;
        let (task, holder) = match next(&deployment) {
            Next::Finished(outcome) => return Err(DispatchError::Ended(id, outcome)),
            Next::Queued => (None, None),
            Next::Outstanding { wanted, held, .. } => {
                let task = wanted.map(|wanted| wanted.task).or(held.as_ref().map(|held| held.task));
                (task, held.map(|held| held.holder))
            }
        };
        let step = task.and_then(|task| deployment.plan().steps.get(usize::try_from(task.step).ok()?));
        let plan = deployment.plan();
        let need = match step.zip(task) {
            Some((step, task)) => Need::of_task(plan, step.action.kind(), task.direction, self.clock.monotonic()),
            None => Need::of_plan(plan, None),
        };
        let mut verdicts: Vec<Verdict> = self
            .roster
            .standing()
            .into_iter()
            .map(|delegate| {
                let candidate = self.sessions.of(delegate.id).and_then(|session| self.candidate(session));
                Verdict {
                    holds: holder.is_some_and(|holder| holder.delegate == delegate.id),
                    objection: match &candidate {
                        None => Some("is not connected".to_owned()),
                        Some(candidate) => eligibility::objection(need, candidate)
                            .or_else(|| eligibility::out_of_reach(need, &candidate.session)),
                    },
                    load: candidate.map_or(0, |candidate| candidate.load),
                    delegate,
                }
            })
            .collect();
        verdicts.sort_by(|a, b| (&a.delegate.name, a.delegate.id).cmp(&(&b.delegate.name, b.delegate.id)));
        Ok(Explanation { step: step.map(|step| step.name.clone()), verdicts })
    }
}
