//! The plan of a rollback after success: the steps of every deployment, behind a setup that finds instead of making.

use domain::{
    error::{Error, ErrorCode},
    ids::DeploymentId,
    retry::RetryPolicy,
    step::{
        ChangeWeights, PreviousVersionSetup, SetupOutput, StepAction, StepOutput, SwapTargetGroups, Traffic, UpgradeContainers,
    },
    task::Direction,
};
use engine::{DEFAULT_HAND_OVERS, Deployment, Plan, PlannedStep};

use super::{steps::timeout_seconds, switch::default_weights};

/// The phase that all its steps stand in.
const PHASE: &str = "Rollback";

/// What is known of the version before a deployment that succeeded.
///
/// # Errors
/// When it had none, or never moved production.
pub fn previous_of(deployment: &Deployment) -> Result<PreviousVersionSetup, Error> {
    let id = deployment.id();
    let refused = |why: &str| Err(Error::new(ErrorCode::Refused, format!("{id} {why}")));
    let outputs = || deployment.steps().iter().filter_map(|record| record.course(Direction::Perform).output());
    let setup: Option<&SetupOutput> = outputs().find_map(|output| match output.as_ref() {
        StepOutput::Setup(setup) => Some(setup.as_ref()),
        _ => None,
    });
    let swapped = outputs().any(|output| matches!(output.as_ref(), StepOutput::Swap(_) | StepOutput::Weights(_)));
    match setup {
        Some(setup) if swapped && setup.old.is_some() => {
            Ok(PreviousVersionSetup { deployment: id, setup: setup.clone(), image: String::new() })
        }
        Some(_) if swapped => refused("was the first of its line: there is no version before it"),
        Some(_) | None => refused("did not move production's traffic, so there is nothing to move back"),
    }
}

/// The plan, in the places and under the names of the deployment that is rolled back.
pub fn rollback_plan(of: &Deployment, input: PreviousVersionSetup, id: DeploymentId, triggered_by: &str) -> Plan {
    let of = of.plan();
    let steady_minutes = u64::from(input.setup.steady_state_timeout_minutes);
    let image = input.image.clone();
    let tag = tag_of(&image).to_owned();
    let switch = match &input.setup.traffic {
        Traffic::LoadBalancer(_) => StepAction::SwapTargetGroups(SwapTargetGroups {
            downsize_old: true,
            delay_seconds: 0,
            drain_ms: None,
            probe_path: None,
            bake: None,
        }),
        // With the weights and the TTL that the deployment used: only the two versions change places.
        Traffic::Dns(_) => StepAction::ChangeRoute53Weights(weights_of(of)),
    };
    let actions = [
        StepAction::PreviousVersionSetup(Box::new(input)),
        StepAction::UpgradeContainers(UpgradeContainers { desired: "100%".to_owned() }),
        switch,
    ];
    let steps = actions.into_iter().map(|action| PlannedStep {
        name: action.kind().title().to_owned(),
        phase: PHASE.to_owned(),
        timeout_seconds: timeout_seconds(&action, steady_minutes),
        retry: RetryPolicy::transient(),
        strategies: Vec::new(),
        hand_overs: DEFAULT_HAND_OVERS,
        action,
    });
    Plan {
        deployment: id,
        application: of.application.clone(),
        workflow: of.workflow.clone(),
        service: of.service.clone(),
        environment: of.environment.clone(),
        infrastructure_name: of.infrastructure_name.clone(),
        infrastructure: of.infrastructure.clone(),
        line: of.line.clone(),
        image,
        tag,
        triggered_by: triggered_by.to_owned(),
        rolls_back: Some(of.deployment),
        steps: steps.collect(),
    }
}

/// The weights of the plan that is rolled back, all at once.
fn weights_of(plan: &Plan) -> ChangeWeights {
    let said = plan.steps.iter().find_map(|step| match &step.action {
        StepAction::ChangeRoute53Weights(weights) => Some(weights.clone()),
        _ => None,
    });
    let said = said.unwrap_or_else(default_weights);
    ChangeWeights { downsize_old: true, ..said }
}

/// The tag in an image's name; empty if it has none.
pub fn tag_of(image: &str) -> &str {
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once('@').map_or(name, |(name, _)| name).split_once(':').map_or("", |(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_what_stands_behind_the_colon_of_the_last_part() {
        assert_eq!(tag_of("registry:5000/team/app:1.2"), "1.2");
        assert_eq!(tag_of("registry:5000/team/app"), "");
        assert_eq!(tag_of("app:7@sha256:00"), "7");
        assert_eq!(tag_of(""), "");
    }
}
