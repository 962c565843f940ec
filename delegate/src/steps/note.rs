//! The two smallest steps.

use std::time::Duration;

use async_trait::async_trait;
use domain::step::{Note, StepOutput, Wait};

use super::Step;
use crate::executor::{Outcome, StepContext};

/// A line for the log.
pub(super) struct WriteNote<'a> {
    pub(super) input: &'a Note,
}

#[async_trait]
impl Step for WriteNote<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        context.console().info(&self.input.message);
        Ok(StepOutput::Nothing)
    }

    async fn undo(&self, _context: &StepContext) -> Outcome<()> {
        Ok(())
    }
}

/// A pause. The engine keeps it by a timer of its own; here for a control plane that sends it all the same.
pub(super) struct Pause<'a> {
    pub(super) input: &'a Wait,
}

#[async_trait]
impl Step for Pause<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        context.pause(Duration::from_secs(self.input.seconds)).await?;
        Ok(StepOutput::Nothing)
    }

    async fn undo(&self, _context: &StepContext) -> Outcome<()> {
        Ok(())
    }
}
