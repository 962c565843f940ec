//! A fault at every single call of every step, of every kind; then the next attempt, which has to end in the same world as a run
//! without fault, with nothing made twice.

use domain::task::TaskReport;

use super::{
    fake_aws::{FakeAws, Fault, World},
    rig::{FAMILY, Rig},
};

async fn without_fault() -> (World, Vec<usize>) {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    let mut ends = Vec::new();
    for step in 0..3 {
        rig.perform(step).await.output();
        ends.push(rig.aws.calls.lock().expect("no panic").len());
    }
    (rig.aws.world().comparable(), ends)
}

/// Runs the three steps with one fault; an attempt that fails is followed by another.
async fn with_fault(at: usize, fault: Fault) -> (World, Rig) {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    *rig.aws.fault.lock().expect("no panic") = Some((at, fault));
    for step in 0..3 {
        for attempt in 1.. {
            let ended = rig.perform(step).await;
            match ended.report {
                TaskReport::Succeeded { .. } => break,
                TaskReport::Failed { ref failure } if failure.transient && attempt < 3 => {}
                ref other => panic!("call {at}, {fault:?}, step {step}: {other:?}\n{}", ended.lines.join("\n")),
            }
        }
    }
    (rig.aws.world().comparable(), rig)
}

#[tokio::test]
async fn a_fault_at_any_call_changes_nothing_in_the_end() {
    let (expected, ends) = without_fault().await;
    let calls = *ends.last().expect("three steps");
    assert!(calls > 30, "{ends:?}");
    let cases = (0..calls).flat_map(|at| [Fault::Throttled, Fault::LostBefore, Fault::LostAfter].map(|fault| (at, fault)));
    let runs = cases.map(|(at, fault)| async move { (at, fault, with_fault(at, fault).await) });
    for (at, fault, (world, rig)) in futures::future::join_all(runs).await {
        assert_eq!(world, expected, "call {at}, {fault:?}");
        assert_eq!(world.created.len(), 1, "call {at}, {fault:?}: one service is created");
        assert!(rig.aws.count("CreateService") <= 2);
    }
}

#[tokio::test]
async fn a_delegate_that_leaves_after_any_checkpoint_hands_over() {
    let (expected, _) = without_fault().await;
    let mut handed_back = 0;
    for after in 1..=4 {
        let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
        for step in 0..3 {
            rig.drain_after = Some(after);
            let ended = rig.perform(step).await;
            if matches!(ended.report, TaskReport::HandedBack) {
                handed_back += 1;
                rig.drain_after = None;
                rig.perform(step).await.output();
            }
        }
        assert_eq!(rig.aws.world().comparable(), expected, "after {after} checkpoints");
    }
    assert_eq!(handed_back, 7, "each checkpoint of each step was the last of a delegate");
}

#[tokio::test]
async fn a_step_repeated_after_its_success_changes_nothing() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.perform(0).await.output();
    let setup = rig.earlier.clone();
    let after_setup = rig.aws.world().comparable();
    rig.perform(0).await.output();
    assert_eq!(rig.aws.world().comparable(), after_setup);
    assert_eq!(rig.earlier[0], setup[0]);
    rig.perform(1).await.output();
    rig.perform(1).await.output();
    assert_eq!(rig.aws.count("UpdateService"), 1);
    rig.perform(2).await.output();
    let writes = (rig.aws.count("ModifyListener"), rig.aws.count("TagResource"), rig.aws.count("UpdateService"));
    rig.perform(2).await.output();
    let again = (rig.aws.count("ModifyListener"), rig.aws.count("TagResource"), rig.aws.count("UpdateService"));
    assert_eq!(writes, again);
}
