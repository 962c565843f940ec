//! Putting a route back to where it led before a deployment, and nothing that a person wrote since.

use domain::{
    failure::{Failure, FailureKind},
    step::{RoutePair, RouteSnapshot},
};

use super::{Leads, Role, RouteNow, set};
use crate::{
    aws::actions::{forwarding, normalised},
    executor::{Outcome, StepContext},
};

/// The recorded actions leading to the group that the route had before (production the old one, stage the new one).
pub(in super::super) async fn put_back(
    context: &StepContext,
    now: &RouteNow,
    before: &RouteSnapshot,
    pair: &RoutePair,
) -> Outcome<()> {
    let (name, group, there) = match now.role {
        Role::Production => ("Prod", &pair.old_target_group, Leads::Old),
        Role::Stage => ("Stage", &pair.new_target_group, Leads::New),
    };
    let leads = now.leads(pair);
    if let Leads::Elsewhere(what) = leads {
        let message = format!("The {} {what}, which this deployment did not set; it is left as it is.", now.called());
        let hint = format!("Before the deployment it forwarded to {group}. Put it back by hand if that is still wanted.");
        return Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into());
    }
    if leads != there {
        let console = context.console();
        console.info(format!("Updating ELB {name} Listener to Forward requests as before, TargetGroup: {group}"));
    }
    let malformed = |error| Failure::refused(FailureKind::Application, format!("The {} {error}.", now.called()));
    let back = |actions| forwarding(actions, &[(group.as_str(), 1)]).map_err(malformed);
    let (of_now, of_before) = (back(&now.actions)?, back(&before.actions)?);
    // A recorded list may go back only over one that this deployment left there; what a person wrote since stays, but for the group.
    if normalised(&of_now) == normalised(&of_before) {
        return set(context, now, &of_before).await;
    }
    context.console().warn(format!(
        "Somebody changed the {} since the deployment began: only its target group is put back, the rest stays as it is now.",
        now.called()
    ));
    set(context, now, &of_now).await
}
