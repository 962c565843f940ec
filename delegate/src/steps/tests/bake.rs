//! Production is watched after the swap: put back at once, without a lease, by one write; never given twice to a version that
//! failed; and no earlier left than the promise of whoever watched before.

use std::time::{Duration, Instant};

use domain::{
    failure::{Effect, FailureKind},
    step::{Bake, Checkpoint},
    task::{Direction, TaskReport},
};

use super::{
    fake_alarms::alarm,
    fake_aws::{FakeAws, PROD, STAGE, World},
    rig::{FAMILY, Rig},
};
use crate::aws::alarms::AlarmState;

const OLD: &str = "ecs__blue__green__elb__17";

/// A deployment that stands right before its swap.
async fn before_swap(window_ms: u64) -> Rig {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.swap.bake = Some(Bake { window_ms, interval_ms: 1, failures: 1, probe_path: None, alarms: Vec::new() });
    for step in 0..2 {
        rig.perform(step).await.output();
    }
    rig
}

fn forwards(rig: &Rig) -> [String; 2] {
    let world = rig.aws.world();
    [PROD, STAGE].map(|listener| world.forwards(listener))
}

#[tokio::test]
async fn a_breach_puts_production_back_by_one_write_and_without_a_lease() {
    let mut rig = before_swap(60_000).await;
    rig.ill_in_bake = true;
    let writes = rig.aws.count("ModifyListener");
    let ended = rig.perform(2).await;
    let lines = ended.lines.join("\n");
    let failure = ended.failure();
    assert_eq!((failure.kind, failure.effect), (FailureKind::Verification, Effect::MayHaveHappened), "{lines}");
    for expected in ["0 of 2 targets are healthy", &format!("Production was put back to {OLD}"), "the change was begun"] {
        assert!(failure.message.contains(expected), "{}", failure.message);
    }
    assert_eq!(forwards(&rig), ["arn:tg/target2", "arn:tg/target2"], "stage is for the undo");
    assert_eq!(rig.aws.count("ModifyListener") - writes, 3, "two of the swap, one back");
    assert_eq!(rig.aws.world().services[OLD].desired, 2, "the old version was never touched");

    // The undo finds it so, and brings the rest back.
    rig.ill_in_bake = false;
    rig.aws.world.lock().expect("no panic").ill = false;
    let ended = rig.attempt(2, Direction::Undo).await;
    assert!(matches!(ended.report, TaskReport::Succeeded { .. }), "{:?}", ended.report);
    assert_eq!(forwards(&rig), ["arn:tg/target2", "arn:tg/target1"]);
}

#[tokio::test]
async fn a_step_that_takes_up_a_bake_does_not_give_production_to_the_failed_version_again() {
    let mut rig = before_swap(60_000).await;
    rig.ill_in_bake = true;
    drop(rig.perform(2).await.failure());
    rig.ill_in_bake = false;
    rig.aws.world.lock().expect("no panic").ill = false;
    let failure = rig.perform(2).await.failure();
    assert!(failure.message.contains("was put back"), "{}", failure.message);
    assert_eq!(forwards(&rig)[0], "arn:tg/target2");
}

#[tokio::test]
async fn a_quiet_window_is_followed_by_the_downsizing_under_a_lease() {
    let mut rig = before_swap(50).await;
    let started = Instant::now();
    let ended = rig.perform(2).await;
    assert!(started.elapsed() >= Duration::from_millis(50));
    assert!(ended.lines.iter().any(|line| line.starts_with("Baked: ")), "{:?}", ended.lines);
    ended.output();
    let bakes: Vec<_> = rig.checkpoints[2]
        .iter()
        .filter(|checkpoint| matches!(checkpoint, Checkpoint::BakeStarted { .. } | Checkpoint::BakeEnded))
        .collect();
    assert!(matches!(bakes[..], [Checkpoint::BakeStarted { .. }, Checkpoint::BakeEnded]), "{bakes:?}");
    assert_eq!(rig.aws.world().services[OLD].desired, 0);
}

#[tokio::test]
async fn nothing_ends_before_the_promise_of_the_delegate_that_was_lost() {
    let mut rig = before_swap(1).await;
    rig.promised_ms = 300;
    let started = Instant::now();
    rig.perform(2).await.output();
    assert!(started.elapsed() >= Duration::from_millis(300), "the bake lasts as long as the promise");
    let started = Instant::now();
    let ended = rig.attempt(2, Direction::Undo).await;
    assert!(matches!(ended.report, TaskReport::Succeeded { .. }), "{:?}", ended.report);
    assert!(started.elapsed() >= Duration::from_millis(300), "and so does the undo");
    assert!(ended.lines.iter().any(|line| line.contains("was lost may still put production back")), "{:?}", ended.lines);
}

#[tokio::test]
async fn an_alarm_that_goes_off_is_a_breach_and_one_that_is_off_already_stops_the_swap() {
    let (well, off) = (alarm("errors", AlarmState::Ok, ""), alarm("errors", AlarmState::Alarm, "3.0 > 1.0"));
    let mut rig = before_swap(60_000).await;
    rig.swap.bake.as_mut().expect("a bake").alarms = vec!["errors".into()];
    let before = forwards(&rig);
    for (looks, expected) in [(vec![off.clone()], "could not tell"), (vec![], "There is no CloudWatch alarm errors")] {
        *rig.aws.alarms.lock().expect("no panic") = vec![looks];
        let failure = rig.perform(2).await.failure();
        assert!(failure.message.contains(expected), "{}", failure.message);
        assert_eq!((failure.effect, forwards(&rig)), (Effect::DidNotHappen, before.clone()));
    }

    *rig.aws.alarms.lock().expect("no panic") = vec![vec![well.clone()], vec![well], vec![off]];
    let failure = rig.perform(2).await.failure();
    assert!(failure.message.contains("Alarm errors is in ALARM: 3.0 > 1.0. Production was put back"), "{}", failure.message);
    assert_eq!(forwards(&rig)[0], "arn:tg/target2");
    assert_eq!(rig.aws.world().services[OLD].desired, 2);
}
