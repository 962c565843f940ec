//! CloudWatch Alarms: looks at alarms for a while, and fails with the first one that goes off.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::{CloudWatchAlarms, InsufficientData, StepOutput},
};
use tokio::time::Instant;

use super::Step;
use crate::{
    aws::alarms::{Alarm, AlarmState},
    executor::{Outcome, StepContext},
};

/// *CloudWatch Alarms*.
pub(super) struct WatchAlarms<'a> {
    pub(super) input: &'a CloudWatchAlarms,
}

#[async_trait]
impl Step for WatchAlarms<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        let (input, console) = (self.input, context.console());
        let hold = Duration::from_millis(input.hold_ms);
        let mut states: BTreeMap<String, AlarmState> = BTreeMap::new();
        let mut began: Option<Instant> = None;
        loop {
            let alarms = context.read(context.aws()?.alarms.alarms(&input.alarms)).await?;
            missing(&input.alarms, &alarms, context)?;
            for alarm in &alarms {
                // What stays as it was is said once.
                if states.insert(alarm.name.clone(), alarm.state.clone()).as_ref() != Some(&alarm.state) {
                    let said = told(alarm);
                    match alarm.state {
                        AlarmState::Ok => console.info(said),
                        AlarmState::InsufficientData if input.insufficient_data == InsufficientData::Good => {
                            console.warn(format!("{said}; that counts as good"));
                        }
                        AlarmState::Alarm | AlarmState::InsufficientData | AlarmState::Other(_) => console.warn(said),
                    }
                }
            }
            let bad: Vec<String> = alarms.iter().filter(|alarm| self.is_bad(alarm)).map(told).collect();
            if !bad.is_empty() {
                let hint = "The alarm's history in CloudWatch shows what set it off.";
                return Err(Failure::refused(FailureKind::Verification, format!("{}.", bad.join("; "))).hint(hint).into());
            }
            let began = *began.get_or_insert_with(|| {
                let (count, seconds) = (alarms.len(), hold.as_secs_f64());
                console.info(format!("{count} alarm{} watched for {seconds} s", if count == 1 { " is" } else { "s are" }));
                Instant::now()
            });
            let left = hold.saturating_sub(began.elapsed());
            if left.is_zero() {
                console.info("No alarm went off");
                return Ok(StepOutput::Nothing);
            }
            context.pause(Duration::from_millis(input.interval_ms.max(50)).min(left)).await?;
        }
    }

    async fn undo(&self, _context: &StepContext) -> Outcome<()> {
        Ok(())
    }
}

impl WatchAlarms<'_> {
    fn is_bad(&self, alarm: &Alarm) -> bool {
        match alarm.state {
            AlarmState::Ok => false,
            AlarmState::InsufficientData => self.input.insufficient_data == InsufficientData::Fail,
            AlarmState::Alarm | AlarmState::Other(_) => true,
        }
    }
}

/// An alarm that is not there watches nothing, which must not pass for quiet.
pub(super) fn missing(names: &[String], found: &[Alarm], context: &StepContext) -> Result<(), Failure> {
    let missing: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| !found.iter().any(|alarm| alarm.name == *name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let region = &context.assignment().infrastructure.region;
    let message = format!("There is no CloudWatch alarm {} in {region}.", missing.join(", "));
    Err(Failure::refused(FailureKind::Application, message)
        .hint("Names are case-sensitive; alarms are looked up in the infrastructure's region and account."))
}

/// How an alarm stands, and why, for people.
pub(super) fn told(alarm: &Alarm) -> String {
    let how = match &alarm.state {
        AlarmState::Ok => "is OK",
        AlarmState::Alarm => "is in ALARM",
        AlarmState::InsufficientData => "has INSUFFICIENT_DATA",
        AlarmState::Other(state) => return format!("Alarm {} is in the state {state}, which is not known here", alarm.name),
    };
    let reason = alarm.reason.trim().trim_end_matches('.');
    let why = if reason.is_empty() || alarm.state == AlarmState::Ok { String::new() } else { format!(": {reason}") };
    format!("Alarm {} {how}{why}", alarm.name)
}
