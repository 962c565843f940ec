//! Other routes than a pair of default actions: rules, several pairs switched as one set, and a share of the traffic.

use domain::{
    failure::FailureKind,
    task::{Direction, TaskReport},
};
use serde_json::{Value, json};

use super::{
    fake_aws::{FakeAws, PROD, World, group, listener},
    rig::{FAMILY, Rig, pair},
};
use crate::aws::{actions::forward_targets, model::Rule};

fn rule(arn: &str, priority: &str, target_group: &str) -> Rule {
    Rule {
        arn: arn.into(),
        priority: priority.into(),
        is_default: false,
        conditions: vec!["path-pattern /api/*".into()],
        actions: json!([
            {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {"Issuer": "i", "ClientId": "c"}},
            {"Type": "forward", "Order": 2, "TargetGroupArn": target_group, "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": target_group, "Weight": 1}],
                "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 60}}},
        ]),
    }
}

/// Production and stage are rules 10 and 20 of one listener, whose default action leads elsewhere.
fn with_rules() -> World {
    let mut world = World::with_past(FAMILY);
    world.listeners = vec![listener(PROD, 80, "arn:tg/target3")];
    world.groups.push(group(3));
    world.rules = vec![
        (PROD.into(), rule("arn:rule/prod", "10", "arn:tg/target2")),
        (PROD.into(), rule("arn:rule/stage", "20", "arn:tg/target1")),
    ];
    world
}

fn ruled(world: World) -> Rig {
    let mut rig = Rig::new(FakeAws::new(world));
    let wanted = &mut rig.setup.pairs[0];
    wanted.stage_listener = "80".into();
    (wanted.prod_rule, wanted.stage_rule) = (Some("10".into()), Some("arn:rule/stage".into()));
    rig
}

fn leads(actions: &Value) -> Vec<(String, u32)> {
    forward_targets(actions)
}

#[tokio::test]
async fn rules_are_switched_and_what_else_they_do_stays() {
    let mut rig = ruled(with_rules());
    rig.deploy().await;
    let world = rig.aws.world();
    let before = with_rules();
    assert_eq!(leads(&world.rules[0].1.actions), [("arn:tg/target1".to_owned(), 1)]);
    assert_eq!(leads(&world.rules[1].1.actions), [("arn:tg/target2".to_owned(), 1)]);
    assert_eq!(world.rules[0].1.actions[1]["ForwardConfig"]["TargetGroupStickinessConfig"]["DurationSeconds"], 60);
    assert_eq!(world.rules[0].1.actions[0]["AuthenticateOidcConfig"]["UseExistingClientSecret"], true);
    assert_eq!(world.listeners, before.listeners, "the default action is nobody's business");
    assert_eq!((rig.aws.count("ModifyRule"), rig.aws.count("ModifyListener")), (2, 0));
    for step in (0..3).rev() {
        let ended = rig.attempt(step, Direction::Undo).await;
        assert!(matches!(ended.report, TaskReport::Succeeded { .. }), "{:?}", ended.report);
    }
    let world = rig.aws.world();
    assert_eq!(leads(&world.rules[0].1.actions), [("arn:tg/target2".to_owned(), 1)]);
    assert_eq!(leads(&world.rules[1].1.actions), [("arn:tg/target1".to_owned(), 1)]);
}

#[tokio::test]
async fn a_rule_that_is_not_there_is_told_with_those_that_are() {
    let mut rig = ruled(with_rules());
    rig.setup.pairs[0].prod_rule = Some("11".into());
    let failure = rig.perform(0).await.failure();
    assert!(failure.message.contains("has no rule 11; its rules: 10 (path-pattern /api/*), 20"), "{}", failure.message);
}

/// HTTP and HTTPS on the same groups, and an internal pair on groups of its own.
fn with_pairs() -> World {
    let mut world = World::with_past(FAMILY);
    world.groups.extend([group(3), group(4)]);
    world.listeners.extend([
        listener("arn:listener/prod-tls", 443, "arn:tg/target2"),
        listener("arn:listener/stage-tls", 8443, "arn:tg/target1"),
        listener("arn:listener/internal", 90, "arn:tg/target4"),
        listener("arn:listener/internal-stage", 9090, "arn:tg/target3"),
    ]);
    let old = world.services.get_mut("ecs__blue__green__elb__17").expect("it is there");
    old.target_groups.push("arn:tg/target4".into());
    world.settle("ecs__blue__green__elb__17");
    let targets = world.targets["arn:tg/target2"].clone();
    world.targets.insert("arn:tg/target4".into(), targets);
    world
}

fn paired() -> Rig {
    let mut rig = Rig::new(FakeAws::new(with_pairs()));
    rig.setup.pairs = vec![pair("80", "8080"), pair("443", "8443"), pair("90", "9090")];
    rig
}

#[tokio::test]
async fn several_pairs_are_switched_as_one_set_and_taken_back() {
    let mut rig = paired();
    rig.deploy().await;
    let world = rig.aws.world();
    let created = &world.created[0]["loadBalancers"];
    let groups: Vec<_> = created.as_array().expect("a list").iter().map(|entry| &entry["targetGroupArn"]).collect();
    assert_eq!(groups, ["arn:tg/target1", "arn:tg/target3"], "each group once");
    let led =
        |world: &World| -> Vec<String> { world.listeners.iter().map(|listener| leads(&listener.actions).remove(0).0).collect() };
    let switched = ["target1", "target2", "target1", "target2", "target3", "target4"].map(|name| format!("arn:tg/{name}"));
    assert_eq!(led(&world), switched);
    for step in (0..3).rev() {
        let ended = rig.attempt(step, Direction::Undo).await;
        assert!(matches!(ended.report, TaskReport::Succeeded { .. }), "{:?}\n{}", ended.report, ended.lines.join("\n"));
    }
    assert_eq!(rig.aws.world().listeners, with_pairs().listeners);
}

#[tokio::test]
async fn a_pair_that_was_moved_keeps_every_pair_from_being_switched() {
    let mut rig = paired();
    rig.perform(0).await.output();
    rig.perform(1).await.output();
    {
        let mut world = rig.aws.world.lock().expect("no panic");
        world.listeners[4] = listener("arn:listener/internal", 90, "arn:tg/elsewhere");
    }
    let failure = rig.perform(2).await.failure();
    assert_eq!(failure.kind, FailureKind::Application);
    assert!(
        failure.message.contains("listener (port 90)") && failure.message.contains("arn:tg/elsewhere"),
        "{}",
        failure.message
    );
    assert_eq!(rig.aws.count("ModifyListener"), 0);
}

#[tokio::test]
async fn a_listener_that_no_pair_names_is_told() {
    let mut rig = paired();
    rig.setup.pairs.remove(1);
    let failure = rig.perform(0).await.failure();
    assert!(failure.message.contains("The listener on port 443 forwards to target group target2 as well"), "{}", failure.message);
}

#[tokio::test]
async fn a_share_goes_to_the_new_version_and_all_of_it_back_at_once() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.perform(0).await.output();
    rig.perform(1).await.output();
    rig.shift(25, Direction::Perform).await.output();
    let prod = |rig: &Rig| leads(&rig.aws.world().listeners[0].actions);
    assert_eq!(prod(&rig), [("arn:tg/target1".to_owned(), 25), ("arn:tg/target2".to_owned(), 75)]);
    // Its tasks are not taken away while they get requests.
    let failure = rig.attempt(1, Direction::Undo).await.failure();
    assert!(failure.message.contains("forwards to the target group of"), "{}", failure.message);
    let ended = rig.shift(25, Direction::Undo).await;
    assert!(matches!(ended.report, TaskReport::Succeeded { .. }), "{:?}", ended.report);
    assert_eq!(rig.aws.world().listeners, World::with_past(FAMILY).listeners);
    rig.shift(50, Direction::Perform).await.output();
    rig.perform(2).await.output();
    assert_eq!(prod(&rig), [("arn:tg/target1".to_owned(), 1)]);
    let ended = rig.attempt(2, Direction::Undo).await;
    assert!(matches!(ended.report, TaskReport::Succeeded { .. }), "{:?}", ended.report);
    assert_eq!(prod(&rig), [("arn:tg/target2".to_owned(), 1)], "the share in between is no state to go back to");
}
