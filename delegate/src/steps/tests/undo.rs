//! Taking everything back, from wherever the deployment stopped.

use domain::{
    failure::FailureKind,
    task::{Direction, TaskReport},
};

use super::{
    fake_aws::{FakeAws, Fault, PROD, STAGE, World},
    rig::{FAMILY, Rig},
};

const OLD: &str = "ecs__blue__green__elb__17";
const NEW: &str = "ecs__blue__green__elb__18";

async fn undo_all(rig: &mut Rig, from: usize) {
    for step in (0..=from).rev() {
        let ended = rig.attempt(step, Direction::Undo).await;
        assert!(
            matches!(ended.report, TaskReport::Succeeded { .. }),
            "step {step}: {:?}\n{}",
            ended.report,
            ended.lines.join("\n")
        );
    }
}

fn is_as_before(world: &World) {
    assert_eq!((world.forwards(PROD).as_str(), world.forwards(STAGE).as_str()), ("arn:tg/target2", "arn:tg/target1"));
    let old = &world.services[OLD];
    assert_eq!((old.desired, old.running, world.colour(OLD)), (2, 2, Some("BLUE")));
    if let Some(new) = world.services.get(NEW) {
        assert_eq!((new.desired, new.running, world.colour(NEW)), (0, 0, Some("GREEN")));
    }
    let before = World::with_past(FAMILY);
    assert_eq!(world.listeners, before.listeners, "the whole action lists are as they were");
}

#[tokio::test]
async fn a_whole_deployment_is_taken_back_and_again() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.deploy().await;
    assert_eq!(rig.aws.world().services[OLD].running, 0);
    undo_all(&mut rig, 2).await;
    is_as_before(&rig.aws.world());
    let (before, switched) = (rig.aws.world().comparable(), rig.aws.count("ModifyListener"));
    undo_all(&mut rig, 2).await;
    assert_eq!(rig.aws.world().comparable(), before, "undo of an undo changes nothing");
    assert_eq!(rig.aws.count("ModifyListener"), switched);
}

#[tokio::test]
async fn what_an_old_answer_does_not_show_is_taken_back_all_the_same() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.perform(0).await.output();
    let before = rig.aws.world();
    rig.perform(1).await.output();
    assert!(rig.aws.world().services[NEW].desired > 0);
    *rig.aws.shown.lock().expect("no panic") = Some((before, 2));
    undo_all(&mut rig, 1).await;
    is_as_before(&rig.aws.world());
}

#[tokio::test]
async fn wherever_it_stopped_everything_is_as_before() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.deploy().await;
    let calls = rig.aws.calls.lock().expect("no panic").len();
    let runs = (0..calls).map(|at| async move {
        let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
        *rig.aws.fault.lock().expect("no panic") = Some((at, Fault::LostAfter));
        let mut reached = 2;
        for step in 0..3 {
            if matches!(rig.perform(step).await.report, TaskReport::Failed { .. }) {
                reached = step;
                break;
            }
        }
        undo_all(&mut rig, reached).await;
        rig.aws.world()
    });
    for world in futures::future::join_all(runs).await {
        is_as_before(&world);
    }
}

#[tokio::test]
async fn the_old_version_is_back_before_production_is() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.deploy().await;
    let before = rig.aws.calls.lock().expect("no panic").len();
    undo_all(&mut rig, 2).await;
    let calls = rig.aws.calls.lock().expect("no panic")[before..].to_vec();
    let first = |call: &str| calls.iter().position(|made| *made == call).expect("it was called");
    assert!(first("UpdateService") < first("ModifyListener"), "{calls:?}");
    assert!(first("DescribeTargetHealth") < first("ModifyListener"), "{calls:?}");
}

#[tokio::test]
async fn after_half_a_swap_stage_leads_to_the_old_version_before_production_does() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.deploy().await;
    {
        let mut world = rig.aws.world.lock().expect("no panic");
        let new = world.listeners[0].actions.clone();
        world.listeners[1].actions = new;
        assert_eq!((world.forwards(PROD).as_str(), world.forwards(STAGE).as_str()), ("arn:tg/target1", "arn:tg/target1"));
    }
    let before = rig.aws.calls.lock().expect("no panic").len();
    undo_all(&mut rig, 2).await;
    is_as_before(&rig.aws.world());
    let calls = rig.aws.calls.lock().expect("no panic")[before..].to_vec();
    let changes: Vec<usize> = (0..calls.len()).filter(|at| calls[*at] == "ModifyListener").collect();
    assert_eq!(changes.len(), 3, "stage to old, production back, stage back: {calls:?}");
    assert!(calls[changes[0]..changes[1]].contains(&"DescribeTargetHealth"), "{calls:?}");
}

#[tokio::test]
async fn the_new_version_is_not_taken_away_while_production_forwards_to_it() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.deploy().await;
    for step in [1, 0] {
        let failure = rig.attempt(step, Direction::Undo).await.failure();
        assert_eq!(failure.kind, FailureKind::Application);
        assert!(failure.message.contains("forwards to the target group of ecs__blue__green__elb__18"), "{}", failure.message);
    }
    assert_eq!(rig.aws.world().services[NEW].running, 2);
}

#[tokio::test]
async fn what_a_person_wrote_into_the_listener_meanwhile_stays() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.deploy().await;
    let sticky = serde_json::json!({"Enabled": true, "DurationSeconds": 60});
    rig.aws.world.lock().expect("no panic").listeners[0].actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] =
        sticky.clone();
    let ended = rig.attempt(2, Direction::Undo).await;
    assert!(matches!(ended.report, TaskReport::Succeeded { .. }), "{:?}", ended.report);
    assert!(
        ended.lines.iter().any(|line| line.starts_with("Somebody changed the production listener (port 80)")),
        "{:?}",
        ended.lines
    );
    let world = rig.aws.world();
    assert_eq!(world.forwards(PROD), "arn:tg/target2");
    assert_eq!(world.listeners[0].actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"], sticky);
}

#[tokio::test]
async fn a_first_deployment_is_taken_back_to_nothing() {
    let mut rig = Rig::new(FakeAws::new(World::empty()));
    rig.deploy().await;
    undo_all(&mut rig, 2).await;
    let world = rig.aws.world();
    assert_eq!(world.listeners, World::empty().listeners);
    assert_eq!(world.services["ecs__blue__green__elb__1"].running, 0);
    let nothing_done = Rig::new(FakeAws::new(World::empty())).attempt(0, Direction::Undo).await;
    assert_eq!(nothing_done.lines, ["The setup created no service: nothing to undo"]);
}
