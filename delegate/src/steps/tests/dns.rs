//! Blue/green with DNS: the console of the reference, deployments that take turns, every fault, and the way back.

use domain::{
    step::StepOutput,
    task::{Direction, TaskReport},
};

use super::{
    fake_aws::{FakeAws, Fault, World},
    fake_dns::{ALIAS, FIRST, SECOND},
    rig::{FAMILY, Rig},
};

const OLD: &str = "ecs__blue__green__elb__7";
const NEW: &str = "ecs__blue__green__elb__8";

fn rig(world: World) -> Rig {
    let mut rig = Rig::new(FakeAws::new(world));
    rig.dns = true;
    rig
}

fn past() -> Rig {
    rig(World::with_dns_past(FAMILY))
}

fn has_in_order(lines: &[String], expected: &[&str]) {
    let mut rest = lines.iter();
    for line in expected {
        assert!(rest.any(|printed| printed == line), "{line:?} is missing or out of order in\n{}", lines.join("\n"));
    }
}

#[tokio::test]
async fn a_later_deployment_speaks_the_words_of_the_reference() {
    let mut rig = past();
    let setup = rig.perform(0).await;
    has_in_order(
        &setup.lines,
        &[
            "Cluster Name: docs-ecs",
            "Docker Image Name: harness/todolist-sample:4",
            "Container Name: harness_todolist-sample_4",
            "Creating task definition ecs__blue__green__elb with container image harness/todolist-sample:4",
            &format!("Current ECS service uses: [{FIRST}]"),
            &format!("Using: [{SECOND}] for new service."),
            "Creating ECS service ecs__blue__green__elb__8 in cluster docs-ecs",
            "Checking for Auto-Scalar config for existing services",
            "No Auto-scalar config found for existing services",
        ],
    );
    setup.output();
    let upgrade = rig.perform(1).await;
    has_in_order(
        &upgrade.lines,
        &[
            "Resize service [ecs__blue__green__elb__8] in cluster [docs-ecs] from 0 to 2 instances",
            "Waiting for service: ecs__blue__green__elb__8 to reflect updated desired count: 2",
            "Current service desired count return from aws for Service: ecs__blue__green__elb__8 is: 2",
            "Service update request successfully submitted.",
            "Waiting for pending tasks to finish. 0/2 running ...",
            "AWS Event: (service ecs__blue__green__elb__8) has started 2 tasks: (task 8-0) (task 8-1).",
            "Waiting for pending tasks to finish. 2/2 running ...",
            "Waiting for service to be in steady state...",
            "AWS Event: (service ecs__blue__green__elb__8) has reached a steady state.",
            "Service has reached a steady state",
            "No Autoscalar config provided.",
            "Container IDs:",
            "  10.0.8.100 (new)",
            "  10.0.8.101 (new)",
            "Completed operation",
            "----------",
            "Service [ecs__blue__green__elb__7] in cluster [docs-ecs] stays at 2 instances",
        ],
    );
    upgrade.output();
    let change = rig.perform(2).await;
    has_in_order(
        &change.lines,
        &[
            "Upserting parent record: [myapp.bg-namespace_upper.] with CNAME records: [service2.bg-namespace:100] and [service1.bg-namespace:0]",
            "Swapping ECS tags Blue and Green",
            "Updating service: [ecs__blue__green__elb__8] with tag: [BG_VERSION:BLUE]",
            "Tag update successful",
            "Updating service: [ecs__blue__green__elb__7] with tag: [BG_VERSION:GREEN]",
            "Tag update successful",
            "Downsizing old service if needed",
            "Downsizing Green Service: ecs__blue__green__elb__7",
            "Waiting for service: ecs__blue__green__elb__7 to reflect updated desired count: 0",
            "Current service desired count return from aws for Service: ecs__blue__green__elb__7 is: 0",
            "Waiting: [30] seconds for the downsize to complete ECS services to synchronize",
        ],
    );
    let StepOutput::Weights(output) = change.output() else { panic!("weights are handed on") };
    assert_eq!((output.new_weight, output.old_weight, output.live_service.as_str()), (100, Some(0), NEW));
}

#[tokio::test]
async fn the_first_deployment_has_one_record_and_later_ones_take_turns() {
    let mut rig = rig(World::empty());
    rig.deploy().await;
    let first = rig.aws.world();
    assert_eq!(first.weights(), [("service1.bg-namespace".to_owned(), 100)].into());
    assert_eq!(first.colour("ecs__blue__green__elb__1"), Some("BLUE"));

    let mut rig = rig.next_deployment();
    rig.deploy().await;
    let weights = |first: u8, second: u8| {
        [("service1.bg-namespace".to_owned(), first), ("service2.bg-namespace".to_owned(), second)].into()
    };
    assert_eq!(rig.aws.world().weights(), weights(0, 100));

    let mut rig = rig.next_deployment();
    rig.deploy().await;
    let third = rig.aws.world();
    assert_eq!(third.weights(), weights(100, 0));
    let names: Vec<_> = third.services.keys().map(String::as_str).collect();
    assert_eq!(names, ["ecs__blue__green__elb__2", "ecs__blue__green__elb__3"], "the one before the old one is deleted");
}

#[tokio::test]
async fn a_first_deployment_that_is_taken_back_leaves_no_record() {
    let mut rig = rig(World::empty());
    rig.deploy().await;
    assert_eq!(rig.aws.world().dns.records.len(), 1);
    undo_all(&mut rig, 2).await;
    let world = rig.aws.world();
    assert_eq!(world.dns.records, []);
    assert_eq!(
        (world.services["ecs__blue__green__elb__1"].running, world.colour("ecs__blue__green__elb__1")),
        (0, Some("GREEN"))
    );
}

async fn undo_all(rig: &mut Rig, from: usize) {
    for step in (0..=from).rev() {
        for attempt in 0.. {
            let ended = rig.attempt(step, Direction::Undo).await;
            match &ended.report {
                TaskReport::Succeeded { .. } => break,
                TaskReport::Failed { failure } if failure.transient && attempt < 3 => {}
                other => panic!("undo of step {step}: {other:?}\n{}", ended.lines.join("\n")),
            }
        }
    }
}

fn is_as_before(world: &World, what: &str) {
    let before = World::with_dns_past(FAMILY);
    let by_identifier = |world: &World| {
        let mut records = world.dns.records.clone();
        records.sort_by(|left, right| left.set_identifier.cmp(&right.set_identifier));
        records
    };
    assert_eq!(by_identifier(world), by_identifier(&before), "{what}");
    let old = &world.services[OLD];
    assert_eq!((old.desired, old.running, world.colour(OLD)), (2, 2, Some("BLUE")), "{what}");
    if let Some(new) = world.services.get(NEW) {
        assert_eq!((new.desired, new.running, world.colour(NEW)), (0, 0, Some("GREEN")), "{what}");
    }
}

#[tokio::test]
async fn wherever_it_stopped_the_records_are_exactly_as_before() {
    let mut rig = past();
    rig.deploy().await;
    assert_eq!(rig.aws.world().services[OLD].running, 0);
    let calls = rig.aws.calls.lock().expect("no panic").len();
    for at in 0..calls {
        for fault in [Fault::LostBefore, Fault::LostAfter] {
            let mut rig = past();
            *rig.aws.fault.lock().expect("no panic") = Some((at, fault));
            let mut stopped = 2;
            for step in 0..3 {
                if matches!(rig.perform(step).await.report, TaskReport::Failed { .. }) {
                    stopped = step;
                    break;
                }
            }
            undo_all(&mut rig, stopped).await;
            is_as_before(&rig.aws.world(), &format!("call {at}, {fault:?}, stopped at {stopped}"));
        }
    }
}

#[tokio::test]
async fn a_fault_at_any_call_forward_or_back_changes_nothing_in_the_end() {
    let mut rig = past();
    rig.deploy().await;
    let (expected, forward) = (rig.aws.world().comparable(), rig.aws.calls.lock().expect("no panic").len());
    undo_all(&mut rig, 2).await;
    let all = rig.aws.calls.lock().expect("no panic").len();
    for at in 0..all {
        for fault in [Fault::Throttled, Fault::LostBefore, Fault::LostAfter] {
            let mut rig = past();
            *rig.aws.fault.lock().expect("no panic") = Some((at, fault));
            for step in 0..3 {
                for attempt in 0.. {
                    match rig.perform(step).await.report {
                        TaskReport::Succeeded { .. } => break,
                        TaskReport::Failed { ref failure } if failure.transient && attempt < 3 => {}
                        ref other => panic!("call {at}, {fault:?}, step {step}: {other:?}"),
                    }
                }
            }
            if at < forward {
                let world = rig.aws.world().comparable();
                assert_eq!((world.weights(), &world.services), (expected.weights(), &expected.services), "call {at}, {fault:?}");
                assert_eq!(world.created.len(), 1, "call {at}, {fault:?}: one service is created");
            }
            undo_all(&mut rig, 2).await;
            is_as_before(&rig.aws.world(), &format!("call {at}, {fault:?}"));
        }
    }
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_before_anything_is_changed() {
    let mut world = World::with_dns_past(FAMILY);
    world.dns.managed_by = Some("servicediscovery.amazonaws.com".into());
    world.dns.records[0].set_identifier = None;
    world.dns.records[0].weight = None;
    let mut rig = rig(world);
    rig.setup.version.task_definition["containerDefinitions"][0]["portMappings"] = serde_json::json!([{"containerPort": 8080}]);
    let before = rig.aws.world();
    let failure = rig.perform(0).await.failure();
    for part in ["managed by servicediscovery", "a simple CNAME record", "Specification 1: The container", "Specification 2"] {
        assert!(failure.message.contains(part), "{part} is missing in {}", failure.message);
    }
    assert_eq!(rig.aws.world(), before);
}

#[tokio::test]
async fn records_that_somebody_else_made_are_left_alone() {
    let mut rig = past();
    rig.perform(0).await.output();
    rig.perform(1).await.output();
    rig.aws.world.lock().expect("no panic").dns.records[0].values = vec!["elsewhere.example.com".into()];
    let failure = rig.perform(2).await.failure();
    assert!(failure.message.contains("not this workflow's") && failure.message.contains("elsewhere.example.com"), "{failure:?}");
    assert_eq!(rig.aws.count("ChangeResourceRecordSets"), 0);
    assert!(failure.message.contains(ALIAS));
}

#[tokio::test]
async fn a_share_by_weights_and_all_of_it_back_at_once() {
    let mut rig = past();
    rig.perform(0).await.output();
    rig.perform(1).await.output();
    rig.shift(25, Direction::Perform).await.output();
    let weights = |first: u8, second: u8| {
        [("service1.bg-namespace".to_owned(), first), ("service2.bg-namespace".to_owned(), second)].into()
    };
    assert_eq!(rig.aws.world().weights(), weights(75, 25));
    let ended = rig.shift(25, Direction::Undo).await;
    assert!(matches!(ended.report, TaskReport::Succeeded { .. }), "{}", ended.lines.join("\n"));
    assert_eq!(rig.aws.world().weights(), weights(100, 0));
    rig.shift(50, Direction::Perform).await.output();
    rig.perform(2).await.output();
    assert_eq!(rig.aws.world().weights(), weights(0, 100));
}
