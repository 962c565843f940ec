//! Where production forwards to: asked before anything that production would miss is brought down.

use domain::{
    failure::{Failure, FailureKind},
    step::SetupOutput,
};

use crate::{
    aws::{actions::single_target, model::Listener},
    executor::{Outcome, StepContext},
};

/// The production and the stage listener as they are now.
pub(super) async fn listeners(context: &StepContext, setup: &SetupOutput) -> Outcome<(Listener, Listener)> {
    let arns = [setup.prod_listener.clone(), setup.stage_listener.clone()];
    let found = context.read(context.aws()?.load_balancing.listeners(&arns)).await?;
    let by_arn = |arn: &str| found.iter().find(|listener| listener.arn == arn).cloned();
    let missing = |what: &str, arn: &str| {
        Failure::refused(FailureKind::Application, format!("The {what} listener {arn} does not exist any more."))
            .hint("Somebody deleted it. Make it again, correct the workflow, and deploy again.")
    };
    let prod = by_arn(&setup.prod_listener).ok_or_else(|| missing("production", &setup.prod_listener))?;
    let stage = by_arn(&setup.stage_listener).ok_or_else(|| missing("stage", &setup.stage_listener))?;
    Ok((prod, stage))
}

/// The one target group that a listener forwards to.
pub(super) fn target(listener: &Listener, role: &str) -> Result<String, Failure> {
    single_target(&listener.actions).map_err(|error| {
        Failure::refused(FailureKind::Application, format!("The {role} listener (port {}) {error}.", listener.port))
            .hint("Another tool or person changed it since the setup. Put it back, and deploy again.")
    })
}

/// Refuses to take the new version down while production forwards to it.
pub(super) async fn refuse_if_new_is_live(context: &StepContext, setup: &SetupOutput) -> Outcome<()> {
    let (prod, _) = listeners(context, setup).await?;
    if target(&prod, "production")? != setup.new_target_group {
        return Ok(());
    }
    let message = format!(
        "The production listener (port {}) forwards to the target group of {}, so its tasks are not taken away.",
        prod.port, setup.service
    );
    let hint =
        "The swap was not undone. Make the production listener forward to the old target group, then run the rollback again.";
    Err(Failure::refused(FailureKind::Application, message).hint(hint).into())
}
