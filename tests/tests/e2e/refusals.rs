//! What is wrong is found before anything is changed, all at once, in words that help.

use std::path::PathBuf;

use anyhow::Context;
use sandbox::world::{World, WorldSettings, aws_config};
use tests::{
    deployments::{Ended, WORKFLOW, newest, outcome, segue},
    programs::programs,
};

/// Writes a changed copy of the world's manifests and gives its folder.
fn manifests(world: &World, name: &str, change: impl Fn(&str, &str) -> String) -> anyhow::Result<PathBuf> {
    let dir = world.dir.join(name);
    std::fs::create_dir_all(&dir)?;
    for (file, text) in &world.manifests.files {
        std::fs::write(dir.join(file), change(file, text))?;
    }
    Ok(dir)
}

async fn apply(world: &World, dir: &std::path::Path) -> anyhow::Result<Ended> {
    segue(world, &["apply", "-f", &dir.to_string_lossy()]).await
}

/// Deploys with changed documents, and asserts that the deployment was refused with `words` and that AWS stands as it stood.
async fn refused(world: &World, name: &str, words: &[&str], change: impl Fn(&str, &str) -> String) -> anyhow::Result<()> {
    let applied = apply(world, &manifests(world, name, change)?).await?;
    assert_eq!(applied.code, 0, "{name}: {}", applied.all());
    refused_as_it_stands(world, name, words).await
}

async fn refused_as_it_stands(world: &World, name: &str, words: &[&str]) -> anyhow::Result<()> {
    let before = world.aws.state().await?;
    let ended = segue(world, &["deploy", WORKFLOW, "--artifact-tag", "9"]).await?;
    let after = world.aws.state().await?;
    assert_eq!(before, after, "{name}: something was changed in AWS");
    for word in words {
        assert!(ended.all().contains(word), "{name}: expected {word:?} in\n{}", ended.all());
    }
    assert_eq!(ended.code, 10, "{name}: nothing was changed, so all is as before (rolled back): {}", ended.all());
    assert_eq!(outcome(&newest(world).await?).as_deref(), Some("rolledBack"), "{name}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_world_is_refused_before_anything_is_changed() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;
    let seeded = world.seeded.clone().context("seeded")?;

    // The reference's own example: the container listens on another port than the target groups.
    let port_mismatch = format!(
        "No container definition has port mapping that matches the target port: 8080 for target group: {}",
        seeded.stage_target_group
    );
    refused(&world, "port", &[&port_mismatch], |_, text| text.replace("containerPort: 8080", "containerPort: 80")).await?;

    refused(&world, "stage-missing", &["8099", "docs-example"], |_, text| {
        text.replace("stageListener: 8081", "stageListener: 8099")
    })
    .await?;

    refused(&world, "cluster-missing", &["no-such-cluster"], |_, text| {
        text.replace("cluster: docs-ecs", "cluster: no-such-cluster")
    })
    .await?;

    refused(&world, "ambiguous", &["sidecar", "targetContainer"], |_, text| {
        let sidecar = "      - name: sidecar\n        image: envoy:1\n        portMappings:\n          - containerPort: 8080\n";
        text.replace("    containerDefinitions:\n", &format!("    containerDefinitions:\n{sidecar}"))
    })
    .await?;

    // Several things wrong at once are told at once.
    refused(&world, "all-at-once", &["8099", "no-such-cluster"], |_, text| {
        text.replace("stageListener: 8081", "stageListener: 8099").replace("cluster: docs-ecs", "cluster: no-such-cluster")
    })
    .await?;

    // Back to the right documents; now the load balancer itself is wrong.
    let applied = apply(&world, &manifests(&world, "right", |_, text| text.to_owned())?).await?;
    assert_eq!(applied.code, 0, "{}", applied.all());
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&aws_config(&world.seed));
    let forward = |group: &str| {
        aws_sdk_elasticloadbalancingv2::types::Action::builder()
            .r#type(aws_sdk_elasticloadbalancingv2::types::ActionTypeEnum::Forward)
            .target_group_arn(group)
            .build()
    };
    elb.modify_listener().listener_arn(&seeded.stage_listener).default_actions(forward(&seeded.prod_target_group)).send().await?;
    refused_as_it_stands(&world, "same-group", &["same target group", &seeded.prod_target_group]).await?;

    // A listener that forwards nowhere: its target group has no listener.
    let fixed = aws_sdk_elasticloadbalancingv2::types::FixedResponseActionConfig::builder().status_code("404").build();
    let answer = aws_sdk_elasticloadbalancingv2::types::Action::builder()
        .r#type(aws_sdk_elasticloadbalancingv2::types::ActionTypeEnum::FixedResponse)
        .fixed_response_config(fixed)
        .build();
    elb.modify_listener().listener_arn(&seeded.stage_listener).default_actions(answer).send().await?;
    refused_as_it_stands(&world, "no-forward", &["8081", "forward"]).await?;

    // Mended, it deploys: nothing of all that was left behind.
    elb.modify_listener()
        .listener_arn(&seeded.stage_listener)
        .default_actions(forward(&seeded.stage_target_group))
        .send()
        .await?;
    tests::deployments::deploy_well(&world, "1").await?;
    world.stop().await
}

#[tokio::test]
async fn documents_are_refused_with_file_line_column_and_field() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { delegates: 0, ..WorldSettings::default() }).await?;
    let line_of = |file: &str, needle: &str| {
        let text = &world.manifests.files.iter().find(|(name, _)| *name == file).expect("a manifest").1;
        text.lines().position(|line| line.contains(needle)).expect("a line") + 1
    };

    let dir = manifests(&world, "wrong-type", |_, text| text.replace("prodListener: 8080", "prodListenr: 8080"))?;
    let ended = apply(&world, &dir).await?;
    assert_eq!(ended.code, 3, "{}", ended.all());
    let place = format!("workflow.yaml:{}", line_of("workflow.yaml", "prodListener"));
    assert!(ended.all().contains(&place) && ended.all().contains("prodListenr"), "{}", ended.all());

    // Two files wrong: both are told, and nothing of the set is kept.
    let before = segue(&world, &["get", "-o", "json"]).await?.stdout;
    let dir = manifests(&world, "two-wrong", |file, text| match file {
        "infrastructure.yaml" => text.replace("launchType: FARGATE", "launchType: FARGAT"),
        "workflow.yaml" => text.replace("${workflow.variables.DesiredInstances}", "${workflow.variables.DesiredInstance}"),
        "application.yaml" => text.replace("The shop's services", "Something new"),
        _ => text.to_owned(),
    })?;
    let ended = apply(&world, &dir).await?;
    assert_eq!(ended.code, 3, "{}", ended.all());
    for expected in [
        format!("infrastructure.yaml:{}", line_of("infrastructure.yaml", "launchType")),
        format!("workflow.yaml:{}", line_of("workflow.yaml", "${workflow.variables.DesiredInstances}")),
        "did you mean ${workflow.variables.DesiredInstances}".to_owned(),
    ] {
        assert!(ended.all().contains(&expected), "expected {expected} in\n{}", ended.all());
    }
    assert_eq!(segue(&world, &["get", "-o", "json"]).await?.stdout, before, "something of a refused set was kept");

    let dir = manifests(&world, "broken", |file, text| match file {
        "service.yaml" => text.replace("  taskDefinition:", "  taskDefinition: ]["),
        _ => text.to_owned(),
    })?;
    let ended = apply(&world, &dir).await?;
    assert_eq!(ended.code, 3, "{}", ended.all());
    assert!(ended.all().contains("service.yaml:"), "{}", ended.all());

    // Unknown names on the command line.
    let ended = segue(&world, &["deploy", "todolist-blue-gren", "--artifact-tag", "1"]).await?;
    assert_eq!(ended.code, 3, "{}", ended.all());
    assert!(ended.all().contains("todolist-blue-green"), "{}", ended.all());
    let ended = segue(&world, &["deploy", WORKFLOW, "--artifact-tag", "1", "--var", "DesiredInstnces=1"]).await?;
    assert_eq!(ended.code, 3, "{}", ended.all());
    assert!(ended.all().contains("DesiredInstances"), "{}", ended.all());
    let ended = segue(&world, &["deploy", WORKFLOW]).await?;
    assert_eq!(ended.code, 2, "{}", ended.all());
    world.stop().await
}

#[tokio::test]
async fn a_deployment_that_nobody_can_take_says_why_for_each_delegate() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { delegates: 2, ..WorldSettings::default() }).await?;
    let dir = manifests(&world, "selectors", |_, text| {
        text.replace("  launchType: FARGATE\n", "  launchType: FARGATE\n  delegateSelectors: [vpc-blue]\n")
    })?;
    let applied = apply(&world, &dir).await?;
    assert_eq!(applied.code, 0, "{}", applied.all());
    let before = world.aws.state().await?;
    let id = tests::deployments::start(&world, "1").await?;
    let waits = |view: &serde_json::Value| view["status"].get("waitingForDelegate").is_some();
    let view = tests::deployments::until(&world, &id, std::time::Duration::from_secs(10), waits).await?;
    let reasons = view["status"]["waitingForDelegate"]["reasons"].to_string();
    for expected in ["delegate-1", "delegate-2", "vpc-blue"] {
        assert!(reasons.contains(expected), "{reasons}");
    }
    let shown = segue(&world, &["deployment", "show", &id]).await?;
    assert!(shown.stdout.contains("vpc-blue"), "{}", shown.all());
    assert_eq!(world.aws.state().await?, before);
    world.stop().await
}
