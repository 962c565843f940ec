//! Approvals: how many people said yes, and what becomes of a step when one said no or too few said anything.

use domain::{
    failure::{Failure, FailureKind},
    step::{Approval, ApprovalOutput, StepAction, StepOutput},
};

use crate::{
    plan::PlannedStep,
    state::{Course, Stage},
};

/// What an approval that waits for people asks them; none for every other step and stage.
pub(crate) fn waiting<'a>(planned: &'a PlannedStep, course: &Course) -> Option<&'a Approval> {
    match &planned.action {
        StepAction::Approval(approval) if course.stage == Stage::Ready => Some(approval),
        _ => None,
    }
}

/// Whether as many people as are wanted said yes, and nobody said no.
pub(crate) fn is_given(approval: &Approval, course: &Course) -> bool {
    course.rejected.is_none() && u32::try_from(course.approved_by.len()).is_ok_and(|said_yes| said_yes >= approval.count)
}

/// What the step hands on.
pub(crate) fn output(course: &Course) -> StepOutput {
    StepOutput::Approval(ApprovalOutput { approved_by: course.approved_by.clone() })
}

/// The failure of a step that a person said no to.
pub(crate) fn rejection(course: &Course) -> Option<Failure> {
    let (who, comment) = course.rejected.as_ref()?;
    let said = comment.as_ref().map_or_else(String::new, |comment| format!(": {comment}"));
    Some(Failure::refused(FailureKind::ApprovalRejected, format!("rejected by {who}{said}")))
}

/// The failure of a step whose time is over; none when it is no approval.
pub(crate) fn timed_out(planned: &PlannedStep, course: &Course) -> Option<Failure> {
    let StepAction::Approval(approval) = &planned.action else { return None };
    let by = match &course.approved_by[..] {
        [] => String::new(),
        names => format!(" (by {})", names.join(", ")),
    };
    let message = format!(
        "not approved within {} s: {} of {} approvals came{by}",
        planned.timeout_seconds,
        course.approved_by.len(),
        approval.count
    );
    Some(Failure::refused(FailureKind::ApprovalRejected, message).hint(match &approval.approvers[..] {
        [] => "Anyone who may use the API approves with: segue deployment approve DEPLOYMENT".to_owned(),
        names => format!("With segue deployment approve DEPLOYMENT may approve: {}.", names.join(", ")),
    }))
}
