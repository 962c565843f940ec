//! What the agent lets others do: perform steps and look for answers. A seam, so that the agent is tested with steps of the test's
//! own making.

use async_trait::async_trait;
use domain::{
    discovery::{Answer, Query},
    failure::Failure,
    step::StepKind,
    task::{Assignment, TaskReport},
};

use crate::{
    discovery,
    executor::{self, Hooks, Services},
};

/// Performs steps and answers questions.
#[async_trait]
pub trait Work: Send + Sync + 'static {
    /// Kinds of steps that it can perform.
    fn kinds(&self) -> Vec<StepKind>;
    /// One attempt, from assignment to report. Watches the hooks' two reasons to stop.
    async fn perform(&self, assignment: Assignment, hooks: Hooks) -> TaskReport;
    /// One question.
    ///
    /// # Errors
    /// When there is no answer.
    async fn answer(&self, query: &Query) -> Result<Answer, Failure>;
}

#[async_trait]
impl Work for Services {
    fn kinds(&self) -> Vec<StepKind> {
        StepKind::ALL.into()
    }

    async fn perform(&self, assignment: Assignment, hooks: Hooks) -> TaskReport {
        executor::run(assignment, self, hooks).await
    }

    async fn answer(&self, query: &Query) -> Result<Answer, Failure> {
        discovery::answer(query, self.aws.as_ref()).await
    }
}
