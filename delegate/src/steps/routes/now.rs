//! Where routes lead now: asked before anything that production would miss is brought down.

use domain::{
    failure::{Failure, FailureKind},
    step::{Route, RoutePair, SetupOutput, Traffic},
};
use serde_json::Value;

use super::super::dns;
use crate::{
    aws::actions::{forward_targets, single_target},
    executor::{Outcome, StepContext},
};

/// What a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Role {
    Production,
    Stage,
}

/// A route with its actions as they are.
#[derive(Debug, Clone)]
pub(in super::super) struct RouteNow {
    pub(in super::super) role: Role,
    pub(in super::super) route: Route,
    pub(in super::super) actions: Value,
}

/// A pair as it is.
#[derive(Debug, Clone)]
pub(in super::super) struct PairNow {
    pub(in super::super) prod: RouteNow,
    pub(in super::super) stage: RouteNow,
}

/// Where a route leads, in the words of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Leads {
    /// To the old target group.
    Old,
    /// To the new one.
    New,
    /// To both, with these weights.
    Shared { new: u32, old: u32 },
    /// To others, or nowhere: what a sentence about the route says.
    Elsewhere(String),
}

impl RouteNow {
    /// What it is called in a sentence: `production listener (port 80)`.
    pub(in super::super) fn called(&self) -> String {
        let role = match self.role {
            Role::Production => "production",
            Role::Stage => "stage",
        };
        self.route.called(role)
    }

    /// Whether any request may go to that group.
    pub(in super::super) fn leads_to(&self, group: &str) -> bool {
        forward_targets(&self.actions).iter().any(|(arn, weight)| arn == group && *weight > 0)
    }

    /// Where it leads.
    pub(in super::super) fn leads(&self, pair: &RoutePair) -> Leads {
        let targets = forward_targets(&self.actions);
        let weight = |group: &str| targets.iter().filter(|(arn, _)| arn == group).map(|(_, weight)| *weight).sum::<u32>();
        let (new, old) = (weight(&pair.new_target_group), weight(&pair.old_target_group));
        let other = |(arn, weight): &(String, u32)| *weight > 0 && *arn != pair.new_target_group && *arn != pair.old_target_group;
        if targets.iter().any(other) || (new == 0 && old == 0) {
            return Leads::Elsewhere(match single_target(&self.actions) {
                Ok(target) => format!("forwards to {target}"),
                Err(error) => error.to_string(),
            });
        }
        match (new, old) {
            (_, 0) => Leads::New,
            (0, _) => Leads::Old,
            (new, old) => Leads::Shared { new, old },
        }
    }
}

/// The pairs as they are now, in their order.
///
/// # Errors
/// When one of the listeners or rules does not exist any more.
pub(in super::super) async fn look(context: &StepContext, pairs: &[RoutePair]) -> Outcome<Vec<PairNow>> {
    let elb = &context.aws()?.load_balancing;
    let routes = || pairs.iter().flat_map(|pair| [&pair.prod, &pair.stage]);
    let mut listeners: Vec<String> = routes().filter(|route| route.rule.is_none()).map(|route| route.listener.clone()).collect();
    let mut rules: Vec<String> = routes().filter_map(|route| Some(route.rule.as_ref()?.arn.clone())).collect();
    listeners.dedup();
    rules.dedup();
    let (listeners, rules) = context
        .read(async {
            futures::try_join!(
                async { if listeners.is_empty() { Ok(Vec::new()) } else { elb.listeners(&listeners).await } },
                async { if rules.is_empty() { Ok(Vec::new()) } else { elb.rules_named(&rules).await } },
            )
        })
        .await?;
    let now = |role: Role, route: &Route| {
        let actions = match &route.rule {
            Some(rule) => rules.iter().find(|found| found.arn == rule.arn).map(|found| found.actions.clone()),
            None => listeners.iter().find(|found| found.arn == route.listener).map(|found| found.actions.clone()),
        };
        let known = RouteNow { role, route: route.clone(), actions: Value::Null };
        match actions {
            Some(actions) => Ok(RouteNow { actions, ..known }),
            None => Err(Failure::refused(
                FailureKind::Application,
                format!("The {} {} does not exist any more.", known.called(), route.arn()),
            )
            .hint("Somebody deleted it. Make it again, correct the workflow, and deploy again.")),
        }
    };
    let pairs =
        pairs.iter().map(|pair| Ok(PairNow { prod: now(Role::Production, &pair.prod)?, stage: now(Role::Stage, &pair.stage)? }));
    Ok(pairs.collect::<Result<_, Failure>>()?)
}

/// Refuses to take the new version down while production leads to it.
pub(in super::super) async fn refuse_if_new_is_live(context: &StepContext, setup: &SetupOutput) -> Outcome<()> {
    let pairs = match &setup.traffic {
        Traffic::LoadBalancer(pairs) => pairs,
        Traffic::Dns(records) => return dns::refuse_if_new_is_live(context, setup, records).await,
    };
    for (now, pair) in look(context, pairs).await?.iter().zip(pairs) {
        if now.prod.leads_to(&pair.new_target_group) {
            let message = format!(
                "The {} forwards to the target group of {}, so its tasks are not taken away.",
                now.prod.called(),
                setup.service
            );
            let hint = "The swap was not undone. Make the production route forward to the old target group, then run the rollback \
                        again.";
            return Err(Failure::refused(FailureKind::Application, message).hint(hint).into());
        }
    }
    Ok(())
}
