//! A delegate under a policy of its own: what it does not allow is refused before anything was changed, by whatever way a step comes
//! to it.

use domain::{
    failure::{Effect, FailureKind},
    task::Direction,
};

use super::{
    fake_aws::{FakeAws, World},
    rig::{FAMILY, Rig},
};
use crate::policy::Policy;

fn policy(text: &str) -> Policy {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy.yaml");
    std::fs::write(&path, text).expect("written");
    Policy::read(&path).expect("a policy")
}

/// What allows the rig's deployment and no more.
const ALL: &str = "regions: [us-west-1]\naccounts: [\"123456789012\"]\nclusters: [docs-ecs]\nservices: [\"ecs__blue__green__elb__*\"]\n\
                   loadBalancers: [docs-example]\nhostedZones: []\nroles: []\nscripts: false\n";

#[tokio::test]
async fn a_policy_that_names_what_a_deployment_touches_lets_it_pass() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.policy = policy(ALL);
    for step in 0..3 {
        rig.perform(step).await.output();
    }
    assert!(rig.aws.count("GetCallerIdentity") >= 1, "the account was looked at");
}

#[tokio::test]
async fn whatever_is_not_allowed_is_refused_before_anything_is_changed() {
    for (allowed, instead, named) in [
        ("regions: [us-west-1]", "regions: [us-east-9]", "the region us-west-1"),
        ("accounts: [\"123456789012\"]", "accounts: [\"1\"]", "the account 123456789012"),
        ("clusters: [docs-ecs]", "clusters: [other]", "the cluster docs-ecs"),
        ("services: [\"ecs__blue__green__elb__*\"]", "services: [other]", "the service ecs__blue__green__elb"),
        ("loadBalancers: [docs-example]", "loadBalancers: []", "the load balancer docs-example"),
    ] {
        let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
        let before = rig.aws.world();
        rig.policy = policy(&ALL.replace(allowed, instead));
        let failure = rig.perform(0).await.failure();
        assert_eq!((failure.kind, failure.effect), (FailureKind::Policy, Effect::DidNotHappen), "{instead}: {failure:?}");
        assert!(failure.message.contains(named), "{instead}: {}", failure.message);
        assert!(failure.hint.is_some_and(|hint| hint.contains("policy.yaml")), "{instead}");
        assert_eq!(rig.aws.world().comparable(), before.comparable(), "{instead}");
    }
}

#[tokio::test]
async fn roles_that_tasks_get_are_bound_too() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.policy = policy(ALL);
    rig.setup.version.task_definition["taskRoleArn"] = "arn:aws:iam::123456789012:role/admin".into();
    let failure = rig.perform(0).await.failure();
    assert!(failure.message.contains("the role arn:aws:iam::123456789012:role/admin"), "{}", failure.message);
    rig.policy = policy(&ALL.replace("roles: []", "roles: [admin]"));
    rig.perform(0).await.output();
}

#[tokio::test]
async fn a_policy_that_became_narrower_holds_for_later_steps_and_for_undo() {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.policy = policy(ALL);
    for step in 0..2 {
        rig.perform(step).await.output();
    }
    let before = rig.aws.world();
    rig.policy = policy(&ALL.replace("clusters: [docs-ecs]", "clusters: [other]"));
    for direction in [Direction::Perform, Direction::Undo] {
        let failure = rig.attempt(2, direction).await.failure();
        assert_eq!(failure.kind, FailureKind::Policy, "{failure:?}");
    }
    assert_eq!(rig.aws.world().comparable(), before.comparable());
}
