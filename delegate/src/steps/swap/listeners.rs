//! Changing where a listener forwards to, and reading back that it does.

use std::time::Duration;

use domain::{
    failure::{Failure, FailureKind},
    step::{Checkpoint, ListenerSnapshot},
};
use serde_json::Value;

use crate::{
    aws::{actions::normalised, model::Listener},
    executor::{Outcome, Repeat, StepContext},
};

/// How long AWS may take to show the actions that it took.
const SHOWN_WITHIN: Duration = Duration::from_secs(30);

/// A listener's actions as they are, for the record.
pub(super) fn snapshot(listener: &Listener, target_group: String) -> ListenerSnapshot {
    ListenerSnapshot { listener: listener.arn.clone(), actions: listener.actions.clone(), target_group }
}

/// The snapshot that an earlier attempt took: production's and stage's.
pub(super) fn recorded(checkpoints: &[Checkpoint]) -> Option<(&ListenerSnapshot, &ListenerSnapshot)> {
    checkpoints.iter().find_map(|checkpoint| match checkpoint {
        Checkpoint::ListenersRecorded { prod, stage } => Some((prod, stage)),
        _ => None,
    })
}

/// Gives the listener these actions unless it has them, and reads them back.
pub(super) async fn set(context: &StepContext, now: &Listener, wanted: &Value) -> Outcome<()> {
    if normalised(&now.actions) == normalised(wanted) {
        return Ok(());
    }
    let elb = &context.aws()?.load_balancing;
    context.write(Repeat::Harmless, || elb.set_default_actions(&now.arn, wanted)).await?;
    let arns = [now.arn.clone()];
    let mut waiting = context.waiting("listener read back", SHOWN_WITHIN);
    loop {
        let shown = context.read(elb.listeners(&arns)).await?;
        if shown.iter().any(|listener| normalised(&listener.actions) == normalised(wanted)) {
            return Ok(());
        }
        if !waiting.again(false).await? {
            let message = format!(
                "AWS took the change of the listener on port {} but still shows other actions after {} s.",
                now.port,
                SHOWN_WITHIN.as_secs()
            );
            let hint = "Another tool or person changes this listener at the same time.";
            return Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into());
        }
    }
}
