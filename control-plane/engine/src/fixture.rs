//! Small plans and their parts, for the tests of this package.

use std::sync::Arc;

use domain::{
    failure::{Effect, Failure, FailureKind},
    ids::{DelegateId, DeploymentId, InstanceId},
    infrastructure::InfrastructureSpec,
    retry::RetryPolicy,
    step::{Approval, Checkpoint, Note, StepAction, UpgradeContainers, Wait},
    strategy::{FailureAction, FailureStrategy},
    task::{Direction, TaskKey},
};
use uuid::Uuid;

use crate::{
    input::Holder,
    plan::{Plan, PlannedStep},
};

/// What a step of a small plan is, as far as the engine can tell steps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Changes something and has an undo.
    Changes,
    /// Changes nothing.
    Looks,
    /// A timer.
    Waits,
    /// As the first, with a failure strategy: one retry, then a person is asked, and without an answer all is undone.
    Asks,
    /// Changes nothing, and its failure is ignored.
    Optional,
    /// As the first; when it fails everything stays as it is, and an operator is told.
    Stops,
    /// Changes nothing; when it fails everything stays as it is.
    Aborts,
    /// Both of two people have to approve it.
    Approves,
}

impl Shape {
    /// Whether it changes something.
    pub(crate) fn changes(self) -> bool {
        match self {
            Self::Changes | Self::Asks | Self::Stops => true,
            Self::Looks | Self::Waits | Self::Optional | Self::Aborts | Self::Approves => false,
        }
    }

    fn strategies(self) -> Vec<FailureStrategy> {
        let action = match self {
            Self::Changes | Self::Looks | Self::Waits | Self::Approves => return Vec::new(),
            Self::Asks => {
                let asks = FailureAction::ManualIntervention { timeout_seconds: 60, then: Box::new(FailureAction::RollBack) };
                FailureAction::Retry { policy: RetryPolicy { delays_ms: vec![RETRY_MS] }, then: Box::new(asks) }
            }
            Self::Optional => FailureAction::Ignore,
            Self::Stops => FailureAction::Fail,
            Self::Aborts => FailureAction::Abort,
        };
        vec![FailureStrategy { on: Vec::new(), action }]
    }
}

pub(crate) const LIMIT_SECONDS: u64 = 10;
pub(crate) const WAIT_SECONDS: u64 = 5;
pub(crate) const RETRY_MS: u64 = 100;
/// Who may answer an approval.
pub(crate) const APPROVERS: [&str; 2] = ["carol", "dave"];

pub(crate) fn deployment_id() -> DeploymentId {
    DeploymentId::new(Uuid::from_u128(1))
}

pub(crate) fn holder(number: u8) -> Holder {
    Holder {
        delegate: DelegateId::new(Uuid::from_u128(u128::from(number))),
        instance: InstanceId::new(Uuid::from_u128(0x100 + u128::from(number))),
    }
}

/// A plan with one retry a step, where a task may be lost once.
pub(crate) fn plan(shapes: &[Shape]) -> Arc<Plan> {
    let steps = shapes.iter().enumerate().map(|(index, shape)| step(index, *shape)).collect();
    Arc::new(Plan {
        deployment: deployment_id(),
        application: "shop".to_owned(),
        workflow: "todolist".to_owned(),
        service: "todolist".to_owned(),
        environment: "production".to_owned(),
        infrastructure_name: "main".to_owned(),
        infrastructure: InfrastructureSpec {
            name: "main".to_owned(),
            region: "eu-west-1".to_owned(),
            cluster: "main".to_owned(),
            launch_type: None,
            vpc: None,
            subnets: Vec::new(),
            security_groups: Vec::new(),
            assign_public_ip: false,
            execution_role: None,
            assume_role: None,
            delegate_selectors: Vec::new(),
        },
        line: "todolist".to_owned(),
        image: "todolist:2".to_owned(),
        tag: "2".to_owned(),
        triggered_by: "alice".to_owned(),
        rolls_back: None,
        steps,
    })
}

fn step(index: usize, shape: Shape) -> PlannedStep {
    let action = match shape {
        Shape::Changes | Shape::Asks | Shape::Stops => {
            StepAction::UpgradeContainers(UpgradeContainers { desired: "100%".to_owned() })
        }
        Shape::Looks | Shape::Optional | Shape::Aborts => StepAction::Note(Note { message: "hello".to_owned() }),
        Shape::Waits => StepAction::Wait(Wait { seconds: WAIT_SECONDS }),
        Shape::Approves => StepAction::Approval(Approval {
            message: "Go live?".to_owned(),
            approvers: APPROVERS.map(str::to_owned).to_vec(),
            count: 2,
            timeout_seconds: LIMIT_SECONDS,
        }),
    };
    PlannedStep {
        name: format!("step {index}"),
        phase: "only".to_owned(),
        action,
        timeout_seconds: LIMIT_SECONDS,
        retry: RetryPolicy { delays_ms: vec![RETRY_MS] },
        strategies: shape.strategies(),
        hand_overs: 1,
    }
}

pub(crate) fn task(step: u32, direction: Direction, attempt: u32) -> TaskKey {
    TaskKey { deployment: deployment_id(), step, direction, attempt }
}

pub(crate) fn failure(transient: bool, effect: Effect) -> Failure {
    Failure { transient, effect, ..Failure::refused(FailureKind::Connectivity, "the call failed") }
}

pub(crate) fn checkpoint(name: &str) -> Checkpoint {
    Checkpoint::ServiceCreated { name: name.to_owned(), arn: format!("arn:{name}") }
}
