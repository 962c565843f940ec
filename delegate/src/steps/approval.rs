//! Approval: people's word, which the control plane keeps. A delegate that is sent one all the same must not stand in for them.

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::StepOutput,
};

use super::Step;
use crate::executor::{Outcome, StepContext};

/// A step that no delegate may carry out.
pub(super) struct NotADelegates;

#[async_trait]
impl Step for NotADelegates {
    async fn perform(&self, _context: &StepContext) -> Outcome<StepOutput> {
        let message = "An approval is given by people to the control plane; a delegate can't give it.";
        Err(Failure::refused(FailureKind::Policy, message).into())
    }

    async fn undo(&self, _context: &StepContext) -> Outcome<()> {
        Ok(())
    }
}
