//! The console of each step, whole. The reference's lines have to be there, in its order; what is ours stands between them.

use super::{
    fake_aws::{FakeAws, PROD, STAGE, World},
    rig::{FAMILY, Rig},
};

/// Whether the reference's lines are all there, in order.
fn has_in_order(lines: &[String], expected: &[&str]) {
    let mut rest = lines.iter();
    for line in expected {
        assert!(rest.any(|printed| printed == line), "{line:?} is missing or out of order in\n{}", lines.join("\n"));
    }
}

#[tokio::test]
async fn a_later_deployment_speaks_the_words_of_the_reference() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    let setup = rig.perform(0).await;
    has_in_order(
        &setup.lines,
        &[
            "Cluster Name: docs-ecs",
            "Docker Image Name: harness/todolist-sample:4",
            "Container Name: harness_todolist-sample_4",
            "Creating task definition ecs__blue__green__elb with container image harness/todolist-sample:4",
            "Deleting Old Service {Green Version}: ecs__blue__green__elb__15",
            "Deletion successful",
            "Setting load balancer to service",
            "Creating ECS service ecs__blue__green__elb__18 in cluster docs-ecs",
            "Checking for Auto-Scalar config for existing services",
            "No Auto-scalar config found for existing services",
            "Load Balancer Name: docs-example",
            "Target Group ARN: arn:tg/target1",
        ],
    );
    assert_eq!(setup.permits, 3, "a permit for each write");
    setup.output();

    let upgrade = rig.perform(1).await;
    has_in_order(
        &upgrade.lines,
        &[
            "Resize service [ecs__blue__green__elb__18] in cluster [docs-ecs] from 0 to 2 instances",
            "Waiting for service: ecs__blue__green__elb__18 to reflect updated desired count: 2",
            "Current service desired count return from aws for Service: ecs__blue__green__elb__18 is: 2",
            "Service update request successfully submitted.",
            "Waiting for pending tasks to finish. 0/2 running ...",
            "AWS Event: (service ecs__blue__green__elb__18) has started 2 tasks: (task 18-0) (task 18-1).",
            "AWS Event: (service ecs__blue__green__elb__18) registered 2 targets in (target-group arn:tg/target1)",
            "Waiting for pending tasks to finish. 2/2 running ...",
            "Waiting for service to be in steady state...",
            "AWS Event: (service ecs__blue__green__elb__18) has reached a steady state.",
            "Service has reached a steady state",
            "No Autoscalar config provided.",
            "",
            "Container IDs:",
            "  10.0.18.100 (new)",
            "  10.0.18.101 (new)",
            "",
            "Completed operation",
            "----------",
            "",
            "Service [ecs__blue__green__elb__17] in cluster [docs-ecs] stays at 2 instances",
            "No Autoscalar config provided.",
            "Completed operation",
            "----------",
        ],
    );
    let events: Vec<_> = upgrade.lines.iter().filter(|line| line.starts_with("AWS Event")).collect();
    assert_eq!(events.len(), 3, "each event once, and none from before the resize: {events:?}");
    upgrade.output();

    let swap = rig.perform(2).await;
    has_in_order(
        &swap.lines,
        &[
            "Updating ELB Prod Listener to Forward requests to Target group associated with new Service, TargetGroup: arn:tg/target1",
            "Updating ELB Stage Listener to Forward requests to Target group associated with new Service, TargetGroup: arn:tg/target2",
            "Successfully update Prod and Stage Listeners",
            "Updating service: [ecs__blue__green__elb__18] with tag: [BG_VERSION:BLUE]",
            "Tag update successful",
            "Updating service: [ecs__blue__green__elb__17] with tag: [BG_VERSION:GREEN]",
            "Tag update successful",
            "Downsizing Green Service: ecs__blue__green__elb__17",
            "Waiting for service: ecs__blue__green__elb__17 to reflect updated desired count: 0",
            "Current service desired count return from aws for Service: ecs__blue__green__elb__17 is: 0",
            "Waiting: [30] seconds for the downsize to complete ECS services to synchronize",
        ],
    );
    swap.output();

    let world = rig.aws.world();
    assert_eq!((world.forwards(PROD).as_str(), world.forwards(STAGE).as_str()), ("arn:tg/target1", "arn:tg/target2"));
    let counts: Vec<_> =
        world.services.values().map(|service| (service.name.as_str(), service.desired, service.running)).collect();
    assert_eq!(counts, [("ecs__blue__green__elb__17", 0, 0), ("ecs__blue__green__elb__18", 2, 2)]);
}

#[tokio::test]
async fn the_first_deployment_and_the_next_two_take_turns() {
    let mut rig = Rig::new(FakeAws::new(World::empty()));
    rig.deploy().await;
    let world = rig.aws.world();
    assert_eq!((world.forwards(PROD).as_str(), world.forwards(STAGE).as_str()), ("arn:tg/target1", "arn:tg/target2"));
    assert_eq!((world.colour("ecs__blue__green__elb__1"), world.services.len()), (Some("BLUE"), 1));

    let mut rig = rig.next_deployment();
    rig.deploy().await;
    let world = rig.aws.world();
    assert_eq!(world.forwards(PROD), "arn:tg/target2");
    assert_eq!(
        (world.colour("ecs__blue__green__elb__1"), world.colour("ecs__blue__green__elb__2")),
        (Some("GREEN"), Some("BLUE"))
    );
    assert_eq!(world.services["ecs__blue__green__elb__1"].running, 0, "the old one is kept, at 0");

    let mut rig = rig.next_deployment();
    rig.deploy().await;
    let world = rig.aws.world();
    assert_eq!(world.forwards(PROD), "arn:tg/target1");
    let names: Vec<_> = world.services.keys().map(String::as_str).collect();
    assert_eq!(names, ["ecs__blue__green__elb__2", "ecs__blue__green__elb__3"], "the one before the old one is deleted");
}
