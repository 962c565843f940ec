//! Auto scaling through real processes: a version that was scaled out is followed by as many tasks, and what was there is put back.

use anyhow::Context;
use aws_sdk_applicationautoscaling::{
    Client,
    types::{
        MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension, ServiceNamespace, SuspendedState,
        TargetTrackingScalingPolicyConfiguration,
    },
};
use sandbox::world::{World, WorldSettings, aws_config};
use tests::{
    deployments::{deploy_well, segue},
    documents::change_workflow,
    programs::programs,
    standing::standing,
};

fn resource(service: &str) -> String {
    format!("service/docs-ecs/{service}")
}

/// A scalable target and its policies as AWS tells them, without what AWS adds of its own.
async fn told(client: &Client, service: &str) -> anyhow::Result<Option<(String, Vec<String>)>> {
    let targets = client.describe_scalable_targets().service_namespace(ServiceNamespace::Ecs);
    let targets = targets.resource_ids(resource(service)).send().await?;
    let Some(target) = targets.scalable_targets().first() else { return Ok(None) };
    let target = format!("{:?} {:?} {:?}", target.min_capacity(), target.max_capacity(), target.suspended_state());
    let policies = client.describe_scaling_policies().service_namespace(ServiceNamespace::Ecs);
    let policies = policies.resource_id(resource(service)).send().await?;
    let policies = policies.scaling_policies().iter();
    let policies = policies.map(|policy| {
        format!(
            "{:?} {:?} {:?}",
            policy.policy_name(),
            policy.policy_type(),
            policy.target_tracking_scaling_policy_configuration()
        )
    });
    Ok(Some((target, policies.collect())))
}

/// Scales a service between 2 and 9 tasks, 5 now.
async fn scale_out(client: &Client, service: &str) -> anyhow::Result<()> {
    let register = |min: i32| {
        let suspended = SuspendedState::builder().scheduled_scaling_suspended(true).build();
        let request = client.register_scalable_target().service_namespace(ServiceNamespace::Ecs).resource_id(resource(service));
        let request = request.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        request.min_capacity(min).max_capacity(9).suspended_state(suspended).send()
    };
    register(5).await.context("RegisterScalableTarget")?;
    register(2).await.context("RegisterScalableTarget")?;
    let metric = PredefinedMetricSpecification::builder().predefined_metric_type(MetricType::EcsServiceAverageCpuUtilization);
    // It never scales in by itself while the test looks.
    let tracking = TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(60.0)
        .predefined_metric_specification(metric.build()?)
        .disable_scale_in(true)
        .build()?;
    client
        .put_scaling_policy()
        .policy_name("cpu")
        .policy_type(PolicyType::TargetTrackingScaling)
        .service_namespace(ServiceNamespace::Ecs)
        .resource_id(resource(service))
        .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
        .target_tracking_scaling_policy_configuration(tracking)
        .send()
        .await
        .context("PutScalingPolicy")?;
    Ok(())
}

#[tokio::test]
async fn a_scaled_out_version_is_followed_by_as_many_and_a_rollback_puts_its_policies_back() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;
    let client = Client::new(&aws_config(&world.seed));
    let (one, two) = ("ecs__blue__green__elb__1", "ecs__blue__green__elb__2");
    let same = "            desiredCount:\n              sameAsRunning: {max: 2}\n";
    change_workflow(&world, |text| text.replace("            desiredCount:\n              fixed: 2\n", same)).await?;
    deploy_well(&world, "1").await?;
    scale_out(&client, one).await?;
    let before = told(&client, one).await?.context("a scalable target")?;
    assert_eq!(before.1.len(), 1);

    let load = world.load(100)?;
    deploy_well(&world, "2").await?;
    let after = standing(&world).await?;
    let counts: Vec<_> = after.services.iter().map(|service| (service.name.as_str(), service.desired)).collect();
    assert_eq!(counts, [(one, 0), (two, 5)], "five of the new");
    assert_eq!(told(&client, one).await?, None, "nothing scales the old one up again");
    assert_eq!(told(&client, two).await?.as_ref(), Some(&before), "as production was scaled before");

    let ended = segue(&world, &["rollback", "--yes"]).await?;
    assert_eq!(ended.code, 0, "{}", ended.all());
    let traffic = load.stop().await;
    assert_eq!(traffic.failed, 0, "{traffic:?}");
    let back = standing(&world).await?;
    let counts: Vec<_> = back.services.iter().map(|service| (service.name.as_str(), service.desired)).collect();
    assert_eq!(counts, [(one, 5), (two, 0)]);
    assert_eq!((told(&client, one).await?, told(&client, two).await?), (Some(before), None));
    world.stop().await
}
