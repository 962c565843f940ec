//! Alarms in a bake: all quiet before the swap, and one that goes off after it is a breach.

use domain::{
    failure::{Failure, FailureKind},
    step::Bake,
};

use super::super::alarms::{missing, told};
use crate::{
    aws::alarms::AlarmState,
    executor::{Outcome, StepContext},
};

/// An alarm that is not there, or goes off already, would not tell what the swap does.
pub(super) async fn quiet_before(context: &StepContext, bake: Option<&Bake>) -> Outcome<()> {
    let Some(names) = bake.map(|bake| &bake.alarms).filter(|names| !names.is_empty()) else { return Ok(()) };
    let found = context.read(context.aws()?.alarms.alarms(names)).await?;
    missing(names, &found, context)?;
    let off: Vec<_> = found.iter().filter(|alarm| alarm.state == AlarmState::Alarm).map(told).collect();
    if off.is_empty() {
        return Ok(());
    }
    let message = format!("Nothing was switched, because the bake could not tell what the new version does: {}.", off.join("; "));
    Err(Failure::refused(FailureKind::Verification, message)
        .hint("Deploy again when the alarm is OK, or leave it out of the bake.")
        .into())
}

/// What went off, if anything did.
pub(super) async fn gone_off(context: &StepContext, names: &[String]) -> Outcome<Option<String>> {
    if names.is_empty() {
        return Ok(None);
    }
    let found = context.read(context.aws()?.alarms.alarms(names)).await?;
    missing(names, &found, context)?;
    let off: Vec<_> = found.iter().filter(|alarm| alarm.state == AlarmState::Alarm).map(told).collect();
    Ok(if off.is_empty() { None } else { Some(off.join("; ")) })
}
