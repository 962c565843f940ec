//! One attempt from assignment to report.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use domain::{
    failure::{Effect, Failure, FailureKind},
    step::{StepKind, StepOutput},
    task::{Assignment, Direction, TaskReport},
};
use futures::FutureExt;
use runtime::{chance::Chance, clock::Clock, http::HttpProbe};
use tokio::time::Instant;

use super::{Console, Halt, Hooks, Outcome, Polling, Secrets, SecretsDirectory, StepContext, WaitMemory};
use crate::{
    aws::{budget::lane, ports::AwsAccess, requests},
    steps,
};

/// What all attempts of this delegate share.
#[derive(Clone)]
pub struct Services {
    /// The way to AWS.
    pub aws: Arc<dyn AwsAccess>,
    /// Where secrets are.
    pub secrets: SecretsDirectory,
    /// How AWS is polled.
    pub polling: Polling,
    /// How long waits took so far.
    pub memory: Arc<WaitMemory>,
    /// The longest that one AWS write may take: the lease has to outlast it. The AWS client's own limit for writes is the same.
    pub write_budget: Duration,
    /// Whether shell scripts may be run.
    pub shell_scripts: bool,
    /// Time of day.
    pub clock: Arc<dyn Clock>,
    /// Where waits get their jitter from.
    pub chance: Chance,
}

/// Performs or undoes what was assigned. Always ends in a report: a panic in a step is a failure whose effect is uncertain.
/// Stops between two AWS calls when told to.
pub async fn run(assignment: Assignment, services: &Services, hooks: Hooks) -> TaskReport {
    let begun = Instant::now();
    let deadline = begun + Duration::from_secs(assignment.timeout_seconds);
    let secrets = match services.secrets.read().await {
        Ok(secrets) => secrets,
        Err(failure) => {
            let console = Console::new(hooks.log, Secrets::default());
            tell(&console, &failure);
            return TaskReport::Failed { failure };
        }
    };
    let console = Console::new(hooks.log.clone(), secrets.clone());
    let direction = assignment.task.direction;
    let attempt = attempt(assignment, services, hooks, &secrets, console.clone(), (begun, deadline));
    let outcome =
        AssertUnwindSafe(requests::kept(lane::within(direction.into(), attempt))).catch_unwind().await.unwrap_or_else(|_| {
            let failure =
                Failure::uncertain(FailureKind::Application, "The step panicked in the delegate; what it was doing may stand.")
                    .hint("This is a fault of Segue. The delegate's own log holds the place; please report it.");
            Err(failure.into())
        });
    match outcome {
        Ok(output) => TaskReport::Succeeded { output },
        Err(Halt::HandedBack) => {
            console.info("The delegate is leaving: this step goes on at another delegate.");
            TaskReport::HandedBack
        }
        Err(Halt::Cancelled) => {
            console.warn("Stopped on the control plane's word.");
            let failure = Failure::uncertain(FailureKind::Policy, "The step was stopped on the control plane's word.");
            TaskReport::Failed { failure }
        }
        Err(Halt::Failed(failure)) => {
            let mut failure = secrets.mask_failure(failure);
            // After masking: a secret that is cut in two would not be known any more.
            if let Some(dossier) = &mut failure.dossier {
                dossier.fit();
            }
            tell(&console, &failure);
            TaskReport::Failed { failure }
        }
    }
}

async fn attempt(
    assignment: Assignment,
    services: &Services,
    hooks: Hooks,
    secrets: &Secrets,
    console: Console,
    (begun, deadline): (Instant, Instant),
) -> Outcome<StepOutput> {
    let direction = assignment.task.direction;
    let action = match (assignment.resolved_action(secrets.values()), direction) {
        (Ok(action), _) => action,
        // What is undone is known from the record; a secret that is gone meanwhile must not stand in the way.
        (Err(error), Direction::Undo) => {
            console.warn(format!("The step's inputs can't be resolved any more ({error}); it is undone by what was recorded."));
            assignment.action.clone()
        }
        (Err(error), Direction::Perform) => {
            let message = format!("The step's inputs can't be resolved: {error}");
            let hint = "A ${secrets.NAME} is a file called NAME in the delegate's secrets directory (--secrets-dir).";
            return Err(Failure::refused(FailureKind::Application, message).hint(hint).into());
        }
    };
    let aws = if needs_aws(action.kind()) { Some(services.aws.connect(&assignment.infrastructure).await?) } else { None };
    let context = StepContext {
        assignment,
        aws,
        http: HttpProbe::new(),
        console,
        hooks,
        clock: services.clock.clone(),
        chance: services.chance.clone(),
        shell_scripts: services.shell_scripts,
        polling: services.polling,
        memory: services.memory.clone(),
        write_budget: services.write_budget,
        deadline,
        wrote: AtomicBool::new(false),
        promise: Mutex::default(),
        begun,
    };
    context.go_on()?;
    let step = steps::of(&action);
    let result = match direction {
        Direction::Perform => step.perform(&context).await,
        Direction::Undo => step.undo(&context).await.map(|()| StepOutput::Nothing),
    };
    result.map_err(|halt| match halt {
        // A later refusal does not take back what an earlier call of the same attempt did.
        Halt::Failed(failure) if context.effect_so_far() == Effect::MayHaveHappened => {
            Halt::Failed(Failure { effect: Effect::MayHaveHappened, ..failure })
        }
        other => other,
    })
}

fn needs_aws(kind: StepKind) -> bool {
    match kind {
        StepKind::BlueGreenLoadBalancerSetup
        | StepKind::BlueGreenRoute53Setup
        | StepKind::PreviousVersionSetup
        | StepKind::UpgradeContainers
        | StepKind::ShiftTraffic
        | StepKind::SwapTargetGroups
        | StepKind::ChangeRoute53Weights
        | StepKind::CloudWatchAlarms => true,
        StepKind::HttpCheck | StepKind::Note | StepKind::Wait => false,
        StepKind::PrometheusCheck | StepKind::ShellScript | StepKind::Notify | StepKind::Approval => false,
    }
}

/// Says a failure on the console: what was tried and what is wrong, AWS's request id, what to do.
fn tell(console: &Console, failure: &Failure) {
    console.error(format!("Error: {}", failure.message));
    if let Some((operation, id)) = failure.answer.as_ref().and_then(|a| Some((&a.operation, a.request_id.as_ref()?))) {
        console.error(format!("AWS request: {operation}, request id {id}"));
    }
    if let Some(hint) = &failure.hint {
        console.info(format!("Hint: {hint}"));
    }
}
