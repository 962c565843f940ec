//! Changing where a route leads, and reading back that it does.

use std::time::Duration;

use domain::{
    failure::{Failure, FailureKind},
    step::{Checkpoint, PairSnapshot, RouteSnapshot},
};
use serde_json::Value;

use super::{PairNow, RouteNow};
use crate::{
    aws::{
        actions::{forward_targets, normalised},
        budget::Operation,
    },
    executor::{Outcome, Repeat, StepContext},
};

/// How long AWS may take to show the actions that it took.
const SHOWN_WITHIN: Duration = Duration::from_secs(30);

/// The pairs' actions as they are, for the record.
pub(in super::super) fn snapshot(pairs: &[PairNow]) -> Vec<PairSnapshot> {
    let route = |now: &RouteNow| RouteSnapshot {
        route: now.route.arn().to_owned(),
        actions: now.actions.clone(),
        target_group: forward_targets(&now.actions).into_iter().next().map(|(arn, _)| arn).unwrap_or_default(),
    };
    pairs.iter().map(|pair| PairSnapshot { prod: route(&pair.prod), stage: route(&pair.stage) }).collect()
}

/// The snapshot that an earlier attempt took.
pub(in super::super) fn recorded(checkpoints: &[Checkpoint]) -> Option<&[PairSnapshot]> {
    checkpoints.iter().find_map(|checkpoint| match checkpoint {
        Checkpoint::RoutesRecorded { pairs } => Some(pairs.as_slice()),
        _ => None,
    })
}

/// Gives the route these actions unless it has them, and reads them back.
pub(in super::super) async fn set(context: &StepContext, now: &RouteNow, wanted: &Value) -> Outcome<()> {
    if normalised(&now.actions) == normalised(wanted) {
        return Ok(());
    }
    let elb = &context.aws()?.load_balancing;
    let arn = now.route.arn();
    match &now.route.rule {
        Some(_) => {
            drop(context.write(Operation::ChangeLoadBalancing, Repeat::Harmless, || elb.set_rule_actions(arn, wanted)).await?)
        }
        None => {
            drop(context.write(Operation::ChangeLoadBalancing, Repeat::Harmless, || elb.set_default_actions(arn, wanted)).await?)
        }
    }
    let arns = [arn.to_owned()];
    let mut waiting = context.waiting("route read back", SHOWN_WITHIN);
    loop {
        let shown: Vec<Value> = match &now.route.rule {
            Some(_) => context.read(elb.rules_named(&arns)).await?.into_iter().map(|rule| rule.actions).collect(),
            None => context.read(elb.listeners(&arns)).await?.into_iter().map(|listener| listener.actions).collect(),
        };
        if shown.iter().any(|actions| normalised(actions) == normalised(wanted)) {
            return Ok(());
        }
        if !waiting.again(false).await? {
            let message = format!(
                "AWS took the change of the {} but still shows other actions after {} s.",
                now.called(),
                SHOWN_WITHIN.as_secs()
            );
            let hint = "Another tool or person changes it at the same time.";
            return Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into());
        }
    }
}
