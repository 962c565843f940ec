//! The delegate's own policy through processes: whatever the control plane says, nothing else is touched.

use sandbox::world::{World, WorldSettings};
use tests::{
    deployments::{WORKFLOW, deploy_well, newest, outcome, segue},
    programs::programs,
    standing::standing,
};

const POLICY: &str = "\
# What this delegate will ever touch.
regions: [us-west-1]
accounts: [\"123456789012\"]
clusters: [docs-ecs]
services: [ecs__blue__green__elb__*]
loadBalancers: [docs-*]
roles: [ecsTaskExecutionRole]
scripts: false
";

/// A world whose delegate has this policy.
async fn world(policy: &str) -> anyhow::Result<(World, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, policy)?;
    let delegate_arguments = vec!["--policy".to_owned(), file.to_string_lossy().into_owned()];
    let settings = WorldSettings { delegates: 1, delegate_arguments, ..WorldSettings::default() };
    Ok((World::start(programs(), settings).await?, folder))
}

#[tokio::test]
async fn a_deployment_within_the_policy_passes_and_one_beyond_it_changes_nothing() -> anyhow::Result<()> {
    let (within, _folder) = world(POLICY).await?;
    deploy_well(&within, "1").await?;
    within.stop().await?;

    for (allowed, instead, named) in [
        ("clusters: [docs-ecs]", "clusters: [staging]", "the cluster docs-ecs"),
        ("roles: [ecsTaskExecutionRole]", "roles: []", "the role arn:aws:iam::123456789012:role/ecsTaskExecutionRole"),
        ("loadBalancers: [docs-*]", "loadBalancers: [till]", "the load balancer docs-example"),
    ] {
        let (beyond, _folder) = world(&POLICY.replace(allowed, instead)).await?;
        let before = standing(&beyond).await?;
        let ended = segue(&beyond, &["deploy", WORKFLOW, "--artifact-tag", "1"]).await?;
        assert_eq!(ended.code, 10, "{}", ended.all());
        for expected in [named, "policy.yaml"] {
            assert!(ended.all().contains(expected), "expected {expected:?} in\n{}", ended.all());
        }
        let view = newest(&beyond).await?;
        assert_eq!(
            (outcome(&view).as_deref(), view["steps"][0]["failure"]["kind"].as_str()),
            (Some("rolledBack"), Some("policy"))
        );
        assert_eq!(standing(&beyond).await?, before, "{instead}");
        let writes = beyond.aws.counts().await?;
        assert!(!writes.keys().any(|call| call.contains("Register") || call.contains("ecs:CreateService")), "{writes:?}");
        beyond.stop().await?;
    }
    Ok(())
}
