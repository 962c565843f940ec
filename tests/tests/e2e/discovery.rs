//! Listing load balancers from outside, read by a delegate inside.

use sandbox::world::{World, WorldSettings};
use serde_json::Value;
use tests::{
    deployments::{deploy_well, segue},
    programs::programs,
};

#[tokio::test]
async fn load_balancers_are_listed_with_listeners_rules_and_target_groups() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;
    deploy_well(&world, "1").await?;
    let seeded = world.seeded.clone().expect("seeded");

    let printed = world.segue(&["discover", "load-balancers", "--infrastructure", "prod-ecs", "-o", "json"]).await?;
    let answer: Value = serde_json::from_str(&printed)?;
    let text = answer.to_string();
    for expected in [
        &seeded.load_balancer,
        &seeded.prod_listener,
        &seeded.stage_listener,
        &seeded.prod_target_group,
        &seeded.stage_target_group,
        &seeded.dns_name,
        &"123456789012".to_owned(),
    ] {
        assert!(text.contains(expected.as_str()), "expected {expected} in\n{answer:#}");
    }

    let table = world.segue(&["discover", "load-balancers", "--infrastructure", "prod-ecs"]).await?;
    for expected in ["docs-example", "8080", "8081", "docs-example-1", "docs-example-2"] {
        assert!(table.contains(expected), "expected {expected} in\n{table}");
    }

    // An empty answer says who looked and where.
    let empty =
        segue(&world, &["discover", "load-balancers", "--infrastructure", "prod-ecs", "--vpc", "vpc-00000000000000000"]).await?;
    for expected in
        ["delegate-1", "123456789012", "us-west-1", "vpc-00000000000000000", "elasticloadbalancing:DescribeLoadBalancers"]
    {
        assert!(empty.all().contains(expected), "expected {expected} in\n{}", empty.all());
    }

    let unknown = segue(&world, &["discover", "load-balancers", "--infrastructure", "prod-esc"]).await?;
    assert_eq!(unknown.code, 3, "{}", unknown.all());
    assert!(unknown.all().contains("prod-ecs"), "{}", unknown.all());
    world.stop().await
}
