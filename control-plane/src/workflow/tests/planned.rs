//! What a plan holds.

use domain::{
    infrastructure::LaunchType,
    step::{Bake, DesiredCount, HttpTarget, StepAction, SwapTargetGroups},
};
use serde_json::json;

use super::fixture::{id, lines, plan, refused, request, resources};
use crate::workflow::compile;

#[test]
fn the_examples_make_the_plan_they_say() {
    let plan = plan(&[], &[]);
    assert_eq!(
        (plan.application.as_str(), plan.workflow.as_str(), plan.service.as_str(), plan.environment.as_str()),
        ("shop", "todolist-blue-green", "todolist", "prod")
    );
    assert_eq!((plan.deployment, plan.tag.as_str(), plan.triggered_by.as_str()), (id(), "4", "ada"));
    assert_eq!((plan.image.as_str(), plan.line.as_str()), ("harness/todolist-sample:4", "ecs__blue__green__elb"));
    assert_eq!(plan.infrastructure_name, "prod-ecs");
    assert_eq!(plan.infrastructure.launch_type, Some(LaunchType::Fargate));
    assert_eq!(plan.infrastructure.subnets.len(), 2);
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.name.as_str(), step.timeout_seconds)).collect();
    let expected = [
        ("ECS Blue Green Load Balancer Setup", 900),
        ("Upgrade Containers", 1_500),
        ("HTTP Check", 122),
        ("Swap Target Groups", 1_830),
        ("Note", 60),
    ];
    assert_eq!(steps, expected);
    assert!(plan.steps.iter().all(|step| step.phase == "Phase 1"));
    assert_eq!(plan.steps[2].retry.delays_ms, [5_000]);
}

#[test]
fn the_setup_holds_the_documents_with_everything_replaced() {
    let plan = plan(&[], &[]);
    let StepAction::BlueGreenLoadBalancerSetup(setup) = &plan.steps[0].action else { panic!("the setup is first") };
    let expected = json!({
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "containerDefinitions": [{
            "name": "harness_todolist-sample_4",
            "image": "harness/todolist-sample:4",
            "essential": true,
            "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
            "environment": [
                {"name": "GREETING", "value": "Hello from production"},
                {"name": "LOG_LEVEL", "value": "info"},
                {"name": "VERSION", "value": "4"},
            ],
        }],
    });
    assert_eq!(setup.version.task_definition, expected);
    assert_eq!(setup.version.service_definition["tags"], json!([{"key": "team", "value": "shop"}]));
    assert_eq!(
        (setup.version.family.as_str(), setup.version.container_name.as_str()),
        ("ecs__blue__green__elb", "harness_todolist-sample_4")
    );
    assert_eq!((setup.pairs[0].prod_listener.as_str(), setup.pairs[0].stage_listener.as_str()), ("80", "8080"));
    assert_eq!((setup.version.desired, setup.version.steady_state_timeout_minutes), (DesiredCount::Fixed(2), 10));
}

#[test]
fn what_is_left_away_has_its_default() {
    let changes = [
        (
            "            serviceName: ecs__blue__green__elb    # ECS services are ecs__blue__green__elb__1, __2 ...; default <app>__<service>__<env>\n",
            "",
        ),
        ("            desiredCount:\n              fixed: 2                            # or sameAsRunning: {max: 2}\n", ""),
        ("            steadyStateTimeout: 10                # minutes\n", ""),
        (
            "            status: [200]\n            maxLatency: 2s\n            consecutive: 3\n            interval: 1s\n            within: 60s\n",
            "",
        ),
        ("            desired: ${workflow.variables.DesiredInstances}\n", ""),
        (
            "            downsizeOld: true                     # the old service goes to 0; it is deleted only by the next setup\n            delay: 30s\n            probe: /healthz                       # production has to answer this before the old service goes\n",
            "",
        ),
    ];
    let plan = plan(&changes, &[]);
    assert_eq!(plan.line, "shop__todolist__prod");
    let StepAction::BlueGreenLoadBalancerSetup(setup) = &plan.steps[0].action else { panic!("the setup is first") };
    assert_eq!((setup.version.desired, setup.version.steady_state_timeout_minutes), (DesiredCount::SameAsRunning { max: 2 }, 10));
    let StepAction::UpgradeContainers(upgrade) = &plan.steps[1].action else { panic!("the upgrade is second") };
    assert_eq!(upgrade.desired, "100%");
    let StepAction::HttpCheck(check) = &plan.steps[2].action else { panic!("the check is third") };
    assert_eq!(check.target, HttpTarget::Stage("/healthz".into()));
    assert_eq!((check.max_latency_ms, check.consecutive, check.interval_ms, check.within_ms), (5_000, 3, 1_000, 60_000));
    assert!(check.status.is_empty());
    let swap = SwapTargetGroups { downsize_old: true, delay_seconds: 0, drain_ms: None, probe_path: None, bake: None };
    assert_eq!(plan.steps[3].action, StepAction::SwapTargetGroups(swap));
}

const DELAY: &str = "            delay: 30s\n";

#[test]
fn a_bake_is_a_length_or_says_more_and_probes_what_the_swap_probes() {
    let bake = |text: &str| {
        let plan = plan(&[(DELAY, text)], &[]);
        let StepAction::SwapTargetGroups(swap) = plan.steps[3].action.clone() else { panic!("the swap is fourth") };
        (swap.bake.expect("a bake"), plan.steps[3].timeout_seconds)
    };
    let (short, timeout) = bake("            bake: 5m\n");
    let probe_path = Some("/healthz".to_owned());
    assert_eq!(short, Bake { window_ms: 300_000, interval_ms: 1_000, failures: 1, probe_path, alarms: Vec::new() });
    assert!(timeout > 300, "the step may take as long as it watches");
    let (long, _) = bake("            bake: {window: 90s, interval: 200ms, failures: 3, probe: /deep, alarms: [errors]}\n");
    let (probe_path, alarms) = (Some("/deep".into()), vec!["errors".into()]);
    assert_eq!(long, Bake { window_ms: 90_000, interval_ms: 200, failures: 3, probe_path, alarms });
    for (wrong, expected) in [
        ("            bake: 0s\n", "watches nothing"),
        ("            bake: 30h\n", "at most 24 hours"),
        ("            bake: {window: 5m, interval: 1ms}\n", "at least 100 ms"),
    ] {
        let said = refused(&[(DELAY, wrong)], &[]);
        assert!(said.contains(expected) && said.contains("swapTargetGroups.bake"), "{said}");
    }
}

#[test]
fn the_only_application_need_not_be_named() {
    let mut asked = request(&[]);
    asked.application.clear();
    assert_eq!(compile(&resources(&[]), &asked, id()).expect("one application").application, "shop");
}

#[test]
fn an_infrastructure_is_known_without_a_deployment() {
    let known =
        resources(&[("cluster: docs-ecs", "cluster: ${app.name}-${env.type}"), ("region: eu-west-1\n", "region: eu-west-2\n")]);
    let placed = crate::workflow::infrastructure(&known, "", "prod-ecs").expect("it is known");
    assert_eq!((placed.application.as_str(), placed.environment.as_str()), ("shop", "prod"));
    let spec = placed.infrastructure;
    assert_eq!((spec.cluster.as_str(), spec.region.as_str(), spec.name.as_str()), ("shop-production", "eu-west-2", "prod-ecs"));
    let wrong = crate::workflow::infrastructure(&known, "shop", "prod-esc").expect_err("misspelt");
    assert_eq!(
        lines(&wrong),
        "infrastructure: there is no infrastructure \"prod-esc\" in application \"shop\" (did you mean prod-ecs?)"
    );
    let known = resources(&[("cluster: docs-ecs", "cluster: ${workflow.variables.Cluster}")]);
    let wrong = crate::workflow::infrastructure(&known, "shop", "prod-ecs").expect_err("only a deployment knows");
    assert!(lines(&wrong).contains("only a deployment can replace"), "{}", lines(&wrong));
}
