//! What is found before anything is touched, all of it at once; and starts that are recognised as hopeless.

use domain::failure::{Effect, FailureKind};
use serde_json::json;

use super::{
    fake_aws::{FakeAws, PROD, World},
    rig::{FAMILY, Rig},
};
use crate::aws::model::Rule;

const WRITES: [&str; 7] = [
    "RegisterTaskDefinition",
    "CreateService",
    "UpdateService",
    "DeleteService",
    "TagResource",
    "UntagResource",
    "ModifyListener",
];

/// The setup's findings, after making sure that it wrote nothing.
async fn findings(world: World, change: impl FnOnce(&mut Rig)) -> Vec<String> {
    let mut rig = Rig::new(FakeAws::new(world));
    change(&mut rig);
    let failure = rig.perform(0).await.failure();
    assert_eq!((failure.kind, failure.effect), (FailureKind::Application, Effect::DidNotHappen));
    assert!(rig.checkpoints[0].is_empty());
    for write in WRITES {
        assert_eq!(rig.aws.count(write), 0, "{write}");
    }
    failure.message.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_port_mismatch_is_told_in_the_words_of_the_reference() {
    let found = findings(World::with_past(FAMILY), |rig| {
        rig.setup.version.task_definition["containerDefinitions"][0]["portMappings"] = json!([{"containerPort": 8080}]);
    });
    assert_eq!(
        found.await,
        ["No container definition has port mapping that matches the target port: 80 for target group: arn:tg/target1"]
    );
}

#[tokio::test]
async fn every_finding_is_told_at_once() {
    let mut world = World::with_past(FAMILY);
    world.cluster_status = None;
    world.groups[0].protocol = "HTTPS".into();
    world.groups[1].load_balancers.clear();
    world.rules.push((
        PROD.into(),
        Rule {
            arn: "arn:rule/1".into(),
            priority: "10".into(),
            is_default: false,
            conditions: vec!["path-pattern /api/*".into()],
            actions: json!([{"Type": "forward", "TargetGroupArn": "arn:tg/target2"}]),
        },
    ));
    let found = findings(world, |rig| rig.setup.version.task_definition["networkMode"] = json!("bridge")).await;
    let expected = [
        "The ECS cluster docs-ecs does not exist",
        "network mode is bridge; launch type FARGATE needs awsvpc",
        "have to agree, but their protocol differs: HTTP and HTTPS",
        "target2 is not associated with the load balancer docs-example",
        "target type ip, which does not fit the task definition's network mode bridge",
        "Rule 10 of the listener on port 80 (path-pattern /api/*) forwards to target group target2 as well",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (finding, part) in found.iter().zip(expected) {
        assert!(finding.contains(part), "{part:?} is not in {finding:?}");
    }
}

#[tokio::test]
async fn listeners_have_to_be_two_and_to_forward_to_two_groups() {
    let missing = findings(World::empty(), |rig| rig.setup.pairs[0].stage_listener = "9090".into()).await;
    assert_eq!(missing, ["The load balancer docs-example has no stage listener 9090; its listeners: 80 (HTTP), 8080 (HTTP)."]);
    let same = findings(World::empty(), |rig| rig.setup.pairs[0].stage_listener = "80".into()).await;
    assert!(same[0].contains("are the same listener (port 80)"), "{same:?}");
    let mut world = World::empty();
    world.listeners[1].actions = world.listeners[0].actions.clone();
    let one_group = findings(world, |_| {}).await;
    assert!(one_group[0].contains("both forward to the same target group, target2"), "{one_group:?}");
    let mut world = World::empty();
    world.listeners[1].actions = json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]);
    let fixed = findings(world, |_| {}).await;
    assert_eq!(fixed, ["The stage listener (port 8080) does not forward to a target group: its action is fixed-response."]);
}

#[tokio::test]
async fn the_tags_have_to_agree_with_what_production_serves() {
    let mut world = World::with_past(FAMILY);
    let live = world.services.get_mut("ecs__blue__green__elb__17").expect("there");
    live.tags.insert("BG_VERSION".into(), "GREEN".into());
    let left = world.services.get_mut("ecs__blue__green__elb__15").expect("there");
    left.tags.insert("BG_VERSION".into(), "BLUE".into());
    let found = findings(world, |_| {}).await;
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("__15 is tagged BG_VERSION:BLUE, but production forwards to target group target2"), "{found:?}");
    assert!(found[1].contains("__17 is tagged BG_VERSION:GREEN, which would be deleted now"), "{found:?}");
}

#[tokio::test]
async fn a_start_that_crashes_is_recognised_long_before_its_time_is_up() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.perform(0).await.output();
    rig.aws.world.lock().expect("no panic").crashing = true;
    let started = tokio::time::Instant::now();
    let failure = rig.perform(1).await.failure();
    assert!(
        failure.message.contains(
            "do not stay up: 2 tasks stopped with: Essential container in task exited; container harness_todolist-sample_4 exited with code 1"
        ),
        "{}",
        failure.message
    );
    assert_eq!(failure.effect, Effect::MayHaveHappened);
    let dossier = failure.dossier.expect("the evidence");
    assert!(dossier.stopped_tasks.len() >= 2);
    assert_eq!(dossier.stopped_tasks[0].containers[0].exit_code, Some(1));
    assert!(dossier.changes.iter().any(|change| change.path == "containerDefinitions[harness_todolist-sample_4].image"));
    assert_eq!(dossier.events[0].message, rig.aws.world().services["ecs__blue__green__elb__18"].events[0].message);
    assert!(started.elapsed().as_secs() < 30);
}

/// A deployment whose container logs to CloudWatch Logs, crashing; what the log of its app says, and the notes.
async fn crash_with_log(log: Option<&str>) -> (Vec<Vec<String>>, Vec<String>) {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    let options = json!({"awslogs-group": "/todo", "awslogs-stream-prefix": "ecs"});
    rig.setup.version.task_definition["containerDefinitions"][0]["logConfiguration"] =
        json!({"logDriver": "awslogs", "options": options});
    rig.perform(0).await.output();
    {
        let mut world = rig.aws.world.lock().expect("no panic");
        world.crashing = true;
        world.log = log.map(str::to_owned);
    }
    let dossier = rig.perform(1).await.failure().dossier.expect("the evidence");
    (dossier.logs.into_iter().map(|log| log.lines).collect(), dossier.notes)
}

#[tokio::test]
async fn the_last_lines_are_there_and_a_log_that_may_not_be_read_is_a_note() {
    let (logs, notes) = crash_with_log(Some("panicked: no DATABASE_URL")).await;
    assert_eq!(logs[0], ["/todo ecs/harness_todolist-sample_4/18-0", "panicked: no DATABASE_URL"]);
    assert!(notes.is_empty(), "{notes:?}");
    let (logs, notes) = crash_with_log(None).await;
    assert!(logs.is_empty());
    assert!(notes[0].starts_with("The log of container harness_todolist-sample_4 of task 18-0:"), "{notes:?}");
}

#[tokio::test]
async fn targets_that_fail_their_health_check_end_the_start_early() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.perform(0).await.output();
    rig.aws.world.lock().expect("no panic").ill = true;
    let started = tokio::time::Instant::now();
    let failure = rig.perform(1).await.failure();
    assert!(
        failure.message.contains("fail the load balancer's health check: 10.0.18.100:80 is unhealthy"),
        "{}",
        failure.message
    );
    assert_eq!(failure.dossier.expect("the evidence").targets.len(), 2);
    assert!(started.elapsed().as_secs() < 30);
}

#[tokio::test]
async fn the_swap_stops_when_somebody_moved_production() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.perform(0).await.output();
    rig.perform(1).await.output();
    rig.aws.world.lock().expect("no panic").listeners[0].actions = json!([{"Type": "forward", "TargetGroupArn": "arn:tg/other"}]);
    let failure = rig.perform(2).await.failure();
    assert_eq!(
        failure.message,
        "The production listener (port 80) forwarded to arn:tg/target2 when the setup ran and forwards to arn:tg/other now."
    );
    assert_eq!((failure.effect, rig.aws.count("ModifyListener")), (Effect::DidNotHappen, 0));
}
