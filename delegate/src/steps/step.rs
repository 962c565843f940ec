//! What every step can do, and which step an action asks for.

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::{RoutePair, SetupOutput, StepAction, StepOutput, Traffic},
};

use super::{
    alarms::WatchAlarms,
    approval::NotADelegates,
    dns::{Change, SetUpRoute53},
    http_check::CheckHttp,
    note::{Pause, WriteNote},
    notify::Tell,
    previous::FindPrevious,
    prometheus::CheckPrometheus,
    script::RunScript,
    setup::SetUpLoadBalancer,
    shift::Shift,
    swap::Swap,
    upgrade::Upgrade,
};
use crate::executor::{Outcome, StepContext};

/// One kind of step with its inputs.
#[async_trait]
pub trait Step: Send + Sync {
    /// Brings the goal about, whatever part of it an earlier attempt already did.
    ///
    /// # Errors
    /// When the goal is not reached.
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput>;

    /// Puts back what the step changed, whatever part of it was done; nothing done is success.
    ///
    /// # Errors
    /// When something could not be put back.
    async fn undo(&self, context: &StepContext) -> Outcome<()>;
}

/// The step that this action asks for.
pub fn of(action: &StepAction) -> Box<dyn Step + '_> {
    match action {
        StepAction::BlueGreenLoadBalancerSetup(input) => Box::new(SetUpLoadBalancer { input }),
        StepAction::BlueGreenRoute53Setup(input) => Box::new(SetUpRoute53 { input }),
        StepAction::PreviousVersionSetup(input) => Box::new(FindPrevious { input }),
        StepAction::UpgradeContainers(input) => Box::new(Upgrade { input }),
        StepAction::SwapTargetGroups(input) => Box::new(Swap { input }),
        StepAction::ShiftTraffic(input) => Box::new(Shift { input }),
        StepAction::ChangeRoute53Weights(input) => Box::new(Change { input }),
        StepAction::HttpCheck(input) => Box::new(CheckHttp { input }),
        StepAction::Note(input) => Box::new(WriteNote { input }),
        StepAction::Wait(input) => Box::new(Pause { input }),
        StepAction::PrometheusCheck(input) => Box::new(CheckPrometheus { input }),
        StepAction::CloudWatchAlarms(input) => Box::new(WatchAlarms { input }),
        StepAction::ShellScript(input) => Box::new(RunScript { input }),
        StepAction::Notify(input) => Box::new(Tell { input }),
        StepAction::Approval(_) => Box::new(NotADelegates),
    }
}

/// The setup's output, which most steps work on.
///
/// # Errors
/// When no setup stands before this step.
pub(super) fn setup_of(context: &StepContext) -> Result<&SetupOutput, Failure> {
    context.assignment().setup().ok_or_else(|| {
        Failure::refused(
            FailureKind::Application,
            "This step works on what a setup made, and no setup step has succeeded before it.",
        )
        .hint("Put the setup step in front of it in the workflow.")
    })
}

/// The name in an ARN, or the name itself.
pub(super) fn short_name(name_or_arn: &str) -> &str {
    if name_or_arn.starts_with("arn:") { name_or_arn.rsplit('/').next().unwrap_or(name_or_arn) } else { name_or_arn }
}

/// The setup's output and its pairs, for steps that work on load balancers.
///
/// # Errors
/// When no setup stands before this step, or one that leads traffic by DNS.
pub(super) fn pairs_of(context: &StepContext) -> Result<(&SetupOutput, &[RoutePair]), Failure> {
    let setup = setup_of(context)?;
    match &setup.traffic {
        Traffic::LoadBalancer(pairs) => Ok((setup, pairs)),
        Traffic::Dns(_) => Err(Failure::refused(
            FailureKind::Application,
            "This step switches load balancers, and the setup before it leads traffic by DNS.",
        )
        .hint("Use Change Route 53 Weights in its place.")),
    }
}
