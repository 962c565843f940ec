//! CloudWatch Alarms against alarms that go off, are not there, or have no data.

use domain::{
    failure::FailureKind,
    step::{CloudWatchAlarms, InsufficientData, StepAction, StepOutput},
    task::Direction,
};

use super::{
    fake_alarms::alarm,
    fake_aws::{FakeAws, World},
    rig::{Ended, FAMILY, Rig},
};
use crate::aws::alarms::{
    Alarm,
    AlarmState::{Alarm as GoesOff, InsufficientData as NoData, Ok as Well},
};

/// Looks at the alarms a and b, and counts the looks.
async fn look(looks: Vec<Vec<Alarm>>, insufficient_data: InsufficientData) -> (Ended, usize) {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    *rig.aws.alarms.lock().expect("no panic") = looks;
    let names = vec!["a".to_owned(), "b".to_owned()];
    let input = CloudWatchAlarms { alarms: names, hold_ms: 200, interval_ms: 60, insufficient_data };
    let ended = rig.attempt_of(StepAction::CloudWatchAlarms(input), 1, Direction::Perform).await;
    let calls = rig.aws.calls.lock().expect("no panic").len();
    (ended, calls)
}

#[tokio::test]
async fn quiet_alarms_are_watched_to_the_end_and_missing_data_is_told() {
    let now = vec![alarm("a", Well, "1 datapoint"), alarm("b", NoData, "no datapoints were received.")];
    let (ended, looks) = look(vec![now], InsufficientData::Good).await;
    assert_eq!(
        ended.lines,
        [
            "Alarm a is OK",
            "Alarm b has INSUFFICIENT_DATA: no datapoints were received; that counts as good",
            "2 alarms are watched for 0.2 s",
            "No alarm went off",
        ]
    );
    assert!(looks >= 4, "200 ms at 60 ms each: {looks}");
    assert_eq!(ended.output(), StepOutput::Nothing);
}

#[tokio::test]
async fn the_first_alarm_that_goes_off_ends_it_with_its_reason() {
    let quiet = vec![alarm("a", Well, ""), alarm("b", Well, "")];
    let loud = vec![alarm("a", Well, ""), alarm("b", GoesOff, "Threshold Crossed: 3.0 > 1.0.")];
    let (ended, looks) = look(vec![quiet, loud], InsufficientData::Good).await;
    let failure = ended.failure();
    assert_eq!(failure.message, "Alarm b is in ALARM: Threshold Crossed: 3.0 > 1.0.");
    assert_eq!((failure.kind, failure.transient, looks), (FailureKind::Verification, false, 2));
}

#[tokio::test]
async fn an_alarm_that_is_not_there_is_an_error_before_anything_is_waited_for() {
    let (ended, looks) = look(vec![vec![alarm("a", GoesOff, "")]], InsufficientData::Good).await;
    let failure = ended.failure();
    assert_eq!(failure.message, "There is no CloudWatch alarm b in us-west-1.");
    assert_eq!((failure.kind, looks), (FailureKind::Application, 1));
}

#[tokio::test]
async fn missing_data_is_a_failure_where_the_workflow_says_so() {
    let now = vec![alarm("a", Well, ""), alarm("b", NoData, "")];
    let (ended, looks) = look(vec![now], InsufficientData::Fail).await;
    assert_eq!((ended.failure().message.as_str(), looks), ("Alarm b has INSUFFICIENT_DATA.", 1));
}
