//! The view of a deployment.

use domain::{
    deployment::{AttemptView, DeploymentStatus, DeploymentView, ShiftView, SignalView, StepState, StepView, UndoView},
    failure::{Effect, Failure, FailureKind, PeerAnswer},
    outcome::Outcome,
    signal::Signal,
    step::StepKind,
    task::Direction,
};

use super::{
    Malformed,
    document::{from_json, parse, to_json},
    some,
};
use crate::api;

/// A deployment for the wire.
pub fn to_wire(view: &DeploymentView) -> api::Deployment {
    api::Deployment {
        id: view.id.to_string(),
        application: view.application.clone(),
        workflow: view.workflow.clone(),
        service: view.service.clone(),
        environment: view.environment.clone(),
        infrastructure: view.infrastructure.clone(),
        image: view.image.clone(),
        tag: view.tag.clone(),
        triggered_by: view.triggered_by.clone(),
        created_at_ms: view.created_at_ms,
        finished_at_ms: view.finished_at_ms.unwrap_or(0),
        status: Some(status_to_wire(&view.status)),
        steps: view.steps.iter().map(step_to_wire).collect(),
        revision: view.revision,
        signals: view.signals.iter().map(signal_to_wire).collect(),
        shifted: view.shifted.map(|shift| api::Shift { at_ms: shift.at_ms, switch_ms: shift.switch_ms }),
        rolls_back: view.rolls_back.map(|id| id.to_string()).unwrap_or_default(),
        rolled_back_by: view.rolled_back_by.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// A deployment from the wire.
///
/// # Errors
/// When a field is missing or is not what it must be.
pub fn from_wire(wire: api::Deployment) -> Result<DeploymentView, Malformed> {
    Ok(DeploymentView {
        id: parse("id", &wire.id)?,
        application: wire.application,
        workflow: wire.workflow,
        service: wire.service,
        environment: wire.environment,
        infrastructure: wire.infrastructure,
        image: wire.image,
        tag: wire.tag,
        triggered_by: wire.triggered_by,
        created_at_ms: wire.created_at_ms,
        finished_at_ms: time(wire.finished_at_ms),
        status: status_from_wire(wire.status)?,
        steps: wire.steps.into_iter().map(step_from_wire).collect::<Result<_, _>>()?,
        revision: wire.revision,
        signals: wire.signals.into_iter().map(signal_from_wire).collect::<Result<_, _>>()?,
        shifted: wire.shifted.map(|shift| ShiftView { at_ms: shift.at_ms, switch_ms: shift.switch_ms }),
        rolls_back: some(wire.rolls_back).map(|id| parse("rolls_back", &id)).transpose()?,
        rolled_back_by: some(wire.rolled_back_by).map(|id| parse("rolled_back_by", &id)).transpose()?,
    })
}

fn signal_to_wire(taken: &SignalView) -> api::SignalTaken {
    api::SignalTaken {
        who: taken.who.clone(),
        signal: taken.signal.as_str().to_owned(),
        step: taken.step,
        at_ms: taken.at_ms,
        comment: taken.comment.clone().unwrap_or_default(),
    }
}

fn signal_from_wire(taken: api::SignalTaken) -> Result<SignalView, Malformed> {
    let signal = Signal::parse(&taken.signal)
        .ok_or_else(|| Malformed::new("signals.signal", format!("{:?} is no signal", taken.signal)))?;
    Ok(SignalView { who: taken.who, signal, step: taken.step, comment: some(taken.comment), at_ms: taken.at_ms })
}

fn time(ms: i64) -> Option<i64> {
    (ms != 0).then_some(ms)
}

fn status_to_wire(status: &DeploymentStatus) -> api::Status {
    use api::status::State;
    let state = match status {
        DeploymentStatus::Queued { behind } => {
            State::Queued(api::Queued { behind: behind.map(|id| id.to_string()).unwrap_or_default() })
        }
        DeploymentStatus::Paused { who, since_ms } => State::Paused(api::Paused { who: who.clone(), since_ms: *since_ms }),
        DeploymentStatus::WaitingForPerson { step, until_ms, otherwise } => State::WaitingForPerson(api::WaitingForPerson {
            step: step.clone(),
            until_ms: *until_ms,
            otherwise: otherwise.clone(),
        }),
        DeploymentStatus::WaitingForApproval { step, message, approvers, count, approved_by, until_ms } => {
            State::WaitingForApproval(api::WaitingForApproval {
                step: step.clone(),
                message: message.clone(),
                approvers: approvers.clone(),
                count: *count,
                approved_by: approved_by.clone(),
                until_ms: *until_ms,
            })
        }
        DeploymentStatus::Running => State::Running(api::Running {}),
        DeploymentStatus::WaitingForDelegate { reasons } => {
            State::WaitingForDelegate(api::WaitingForDelegate { reasons: reasons.clone() })
        }
        DeploymentStatus::RollingBack => State::RollingBack(api::RollingBack {}),
        DeploymentStatus::Finished { outcome } => State::Finished(api::Finished {
            outcome: outcome.as_str().to_owned(),
            remains: match outcome {
                Outcome::NeedsOperator(remains) => remains.clone(),
                _ => Vec::new(),
            },
        }),
    };
    api::Status { state: Some(state) }
}

fn status_from_wire(status: Option<api::Status>) -> Result<DeploymentStatus, Malformed> {
    use api::status::State;
    match status.and_then(|status| status.state).ok_or_else(|| Malformed::new("status", "missing"))? {
        State::Queued(queued) => {
            let behind = some(queued.behind).map(|id| parse("status.queued.behind", &id)).transpose()?;
            Ok(DeploymentStatus::Queued { behind })
        }
        State::Paused(paused) => Ok(DeploymentStatus::Paused { who: paused.who, since_ms: paused.since_ms }),
        State::WaitingForPerson(asked) => {
            Ok(DeploymentStatus::WaitingForPerson { step: asked.step, until_ms: asked.until_ms, otherwise: asked.otherwise })
        }
        State::WaitingForApproval(asked) => Ok(DeploymentStatus::WaitingForApproval {
            step: asked.step,
            message: asked.message,
            approvers: asked.approvers,
            count: asked.count,
            approved_by: asked.approved_by,
            until_ms: asked.until_ms,
        }),
        State::Running(_) => Ok(DeploymentStatus::Running),
        State::WaitingForDelegate(waiting) => Ok(DeploymentStatus::WaitingForDelegate { reasons: waiting.reasons }),
        State::RollingBack(_) => Ok(DeploymentStatus::RollingBack),
        State::Finished(finished) => {
            let outcome = match finished.outcome.as_str() {
                "succeeded" => Outcome::Succeeded,
                "rolledBack" => Outcome::RolledBack,
                "needsOperator" => Outcome::NeedsOperator(finished.remains),
                "aborted" => Outcome::Aborted,
                "rejected" => Outcome::Rejected,
                other => return Err(Malformed::new("status.finished.outcome", format!("{other:?} is no outcome"))),
            };
            Ok(DeploymentStatus::Finished { outcome })
        }
    }
}

fn step_to_wire(step: &StepView) -> api::Step {
    api::Step {
        index: step.index,
        name: step.name.clone(),
        phase: step.phase.clone(),
        kind: step.kind.as_str().to_owned(),
        state: step.state.as_str().to_owned(),
        started_at_ms: step.started_at_ms.unwrap_or(0),
        ended_at_ms: step.ended_at_ms.unwrap_or(0),
        attempts: step
            .attempts
            .iter()
            .map(|attempt| api::Attempt {
                direction: attempt.direction.as_str().to_owned(),
                attempt: attempt.attempt,
                delegate_id: attempt.delegate.to_string(),
                ended: attempt.ended.clone().unwrap_or_default(),
            })
            .collect(),
        failure: step.failure.as_ref().map(failure_to_wire),
        undo: step.undo.as_ref().map(|undo| api::Undo {
            name: undo.name.clone(),
            state: undo.state.as_str().to_owned(),
            failure: undo.failure.as_ref().map(failure_to_wire),
        }),
    }
}

fn step_from_wire(step: api::Step) -> Result<StepView, Malformed> {
    Ok(StepView {
        index: step.index,
        name: step.name,
        phase: step.phase,
        kind: StepKind::parse(&step.kind)
            .ok_or_else(|| Malformed::new("steps.kind", format!("{:?} is no kind of step", step.kind)))?,
        state: state_from_wire(&step.state)?,
        started_at_ms: time(step.started_at_ms),
        ended_at_ms: time(step.ended_at_ms),
        attempts: step
            .attempts
            .into_iter()
            .map(|attempt| {
                Ok(AttemptView {
                    direction: match attempt.direction.as_str() {
                        "perform" => Direction::Perform,
                        "undo" => Direction::Undo,
                        other => return Err(Malformed::new("steps.attempts.direction", format!("{other:?}"))),
                    },
                    attempt: attempt.attempt,
                    delegate: parse("steps.attempts.delegate_id", &attempt.delegate_id)?,
                    ended: some(attempt.ended),
                })
            })
            .collect::<Result<_, _>>()?,
        failure: step.failure.map(failure_from_wire).transpose()?,
        undo: step
            .undo
            .map(|undo| {
                Ok::<_, Malformed>(UndoView {
                    name: undo.name,
                    state: state_from_wire(&undo.state)?,
                    failure: undo.failure.map(failure_from_wire).transpose()?,
                })
            })
            .transpose()?,
    })
}

fn state_from_wire(state: &str) -> Result<StepState, Malformed> {
    StepState::ALL
        .into_iter()
        .find(|known| known.as_str() == state)
        .ok_or_else(|| Malformed::new("steps.state", format!("{state:?} is no state of a step")))
}

fn failure_to_wire(failure: &Failure) -> api::Failure {
    api::Failure {
        kind: failure.kind.as_str().to_owned(),
        effect: match failure.effect {
            Effect::DidNotHappen => "didNotHappen",
            Effect::MayHaveHappened => "mayHaveHappened",
        }
        .to_owned(),
        transient: failure.transient,
        message: failure.message.clone(),
        hint: failure.hint.clone().unwrap_or_default(),
        answer: failure.answer.as_ref().map(|answer| api::PeerAnswer {
            operation: answer.operation.clone(),
            code: answer.code.clone().unwrap_or_default(),
            message: answer.message.clone().unwrap_or_default(),
            request_id: answer.request_id.clone().unwrap_or_default(),
        }),
        dossier_json: failure.dossier.as_ref().map(to_json).unwrap_or_default(),
    }
}

fn failure_from_wire(failure: api::Failure) -> Result<Failure, Malformed> {
    let kind = FailureKind::ALL
        .into_iter()
        .find(|known| known.as_str() == failure.kind)
        .ok_or_else(|| Malformed::new("failure.kind", format!("{:?} is no kind of failure", failure.kind)))?;
    Ok(Failure {
        kind,
        effect: match failure.effect.as_str() {
            "didNotHappen" => Effect::DidNotHappen,
            "mayHaveHappened" => Effect::MayHaveHappened,
            other => return Err(Malformed::new("failure.effect", format!("{other:?}"))),
        },
        transient: failure.transient,
        message: failure.message,
        hint: some(failure.hint),
        answer: failure.answer.map(|answer| {
            Box::new(PeerAnswer {
                operation: answer.operation,
                code: some(answer.code),
                message: some(answer.message),
                request_id: some(answer.request_id),
            })
        }),
        dossier: some(failure.dossier_json).map(|json| from_json("failure.dossierJson", &json)).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use domain::ids::{DelegateId, DeploymentId};

    use super::*;

    fn view(status: DeploymentStatus) -> DeploymentView {
        let delegate = "dlg_00000000000000000000000000000002".parse::<DelegateId>().expect("an id");
        let failure = Failure {
            answer: Some(Box::new(PeerAnswer {
                operation: "ecs:CreateService".into(),
                code: Some("ServerException".into()),
                message: None,
                request_id: Some("r".into()),
            })),
            dossier: Some(Box::new(domain::failure::Dossier { notes: vec!["no logs".into()], ..Default::default() })),
            ..Failure::uncertain(Connectivity, "lost").hint("look")
        };
        use FailureKind::Connectivity;
        DeploymentView {
            id: "dep_00000000000000000000000000000001".parse::<DeploymentId>().expect("an id"),
            application: "shop".into(),
            workflow: "w".into(),
            service: "s".into(),
            environment: "e".into(),
            infrastructure: "i".into(),
            image: "img:1".into(),
            tag: "1".into(),
            triggered_by: "me".into(),
            created_at_ms: 5,
            finished_at_ms: Some(9),
            status,
            revision: 12,
            signals: Signal::ALL
                .into_iter()
                .map(|signal| SignalView {
                    who: "me".into(),
                    signal,
                    step: Some(0).filter(|_| signal == Signal::Retry),
                    comment: Some("no".to_owned()).filter(|_| signal == Signal::Reject),
                    at_ms: 3,
                })
                .collect(),
            shifted: Some(ShiftView { at_ms: 4, switch_ms: 2 }),
            rolls_back: Some("dep_00000000000000000000000000000003".parse().expect("an id")),
            rolled_back_by: None,
            steps: StepKind::ALL
                .into_iter()
                .zip(0..)
                .map(|(kind, index)| StepView {
                    index,
                    name: kind.title().into(),
                    phase: "Phase 1".into(),
                    kind,
                    state: StepState::Failed,
                    started_at_ms: Some(6),
                    ended_at_ms: None,
                    attempts: vec![
                        AttemptView { direction: Direction::Perform, attempt: 1, delegate, ended: Some("lost".into()) },
                        AttemptView { direction: Direction::Undo, attempt: 2, delegate, ended: None },
                    ],
                    failure: Some(failure.clone()),
                    undo: Some(UndoView { name: "Undo".into(), state: StepState::Running, failure: Some(failure.clone()) }),
                })
                .collect(),
        }
    }

    #[test]
    fn a_view_survives_the_wire() {
        let outcomes = [
            Outcome::Succeeded,
            Outcome::RolledBack,
            Outcome::NeedsOperator(vec!["a".into(), "b".into()]),
            Outcome::Aborted,
            Outcome::Rejected,
        ];
        let statuses = [
            DeploymentStatus::Queued { behind: None },
            DeploymentStatus::Queued { behind: Some("dep_00000000000000000000000000000002".parse().expect("an id")) },
            DeploymentStatus::Paused { who: "me".into(), since_ms: 7 },
            DeploymentStatus::WaitingForPerson { step: "s".into(), until_ms: 8, otherwise: "abort".into() },
            DeploymentStatus::WaitingForApproval {
                step: "s".into(),
                message: "go?".into(),
                approvers: vec!["a".into(), "b".into()],
                count: 2,
                approved_by: vec!["b".into()],
                until_ms: 8,
            },
            DeploymentStatus::Running,
            DeploymentStatus::WaitingForDelegate { reasons: vec!["none".into()] },
            DeploymentStatus::RollingBack,
        ];
        let finished = outcomes.into_iter().map(|outcome| DeploymentStatus::Finished { outcome });
        for status in statuses.into_iter().chain(finished) {
            let view = view(status);
            assert_eq!(from_wire(to_wire(&view)), Ok(view));
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let good = to_wire(&view(DeploymentStatus::Running));
        let error = |change: fn(&mut api::Deployment)| {
            let mut wire = good.clone();
            change(&mut wire);
            from_wire(wire).expect_err("malformed").field
        };
        assert_eq!(error(|d| d.id = "x".into()), "id");
        assert_eq!(error(|d| d.status = None), "status");
        assert_eq!(error(|d| d.steps[0].kind = "x".into()), "steps.kind");
        assert_eq!(error(|d| d.steps[0].state = "x".into()), "steps.state");
    }
}
