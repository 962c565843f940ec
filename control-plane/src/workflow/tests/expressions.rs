//! Expressions in their places, and what is left of them for the delegate.

use std::collections::BTreeMap;

use domain::{
    expression,
    ids::DeploymentId,
    step::{Note, StepAction},
};
use proptest::prelude::*;

use super::fixture::{plan, refused, request, resources};
use crate::workflow::compile;

const NOTE: &str = "${steps.Swap Target Groups.liveService} serves production";

#[test]
fn outputs_of_earlier_steps_and_secrets_are_left_for_the_delegate() {
    let note = |text: &str, variables: &[(&str, &str)]| {
        let plan = plan(&[(NOTE, text)], variables);
        let StepAction::Note(Note { message }) = plan.steps[4].action.clone() else { panic!("the note is last") };
        message
    };
    assert_eq!(note(NOTE, &[]), NOTE);
    assert_eq!(
        note("'$${x} ${secrets.token} ${artifact.image} ${infra.cluster}'", &[]),
        "$${x} ${secrets.token} harness/todolist-sample:4 docs-ecs"
    );
}

#[test]
fn a_step_knows_only_steps_before_it() {
    let line = |text: &str| refused(&[("desired: ${workflow.variables.DesiredInstances}", text)], &[]);
    let desired = "spec.phases[0].steps[1].upgradeContainers.desired";
    assert_eq!(
        line("desired: ${steps.Swap Target Groups.liveService}"),
        format!(
            "workflow.yaml:29:22 {desired}: ${{steps.Swap Target Groups.liveService}} is known only to steps after \"Swap Target \
             Groups\" (outputs of earlier steps can be used)"
        )
    );
    assert_eq!(
        line("desired: ${steps.Upgrade Containers.desiredCount}"),
        format!(
            "workflow.yaml:29:22 {desired}: ${{steps.Upgrade Containers.desiredCount}} is known only to steps after \"Upgrade \
             Containers\" (outputs of earlier steps can be used)"
        )
    );
    assert_eq!(
        line("desired: 1${steps.ECS Blue Green Load Balancer Setup.desired}"),
        format!(
            "workflow.yaml:29:23 {desired}: unknown expression ${{steps.ECS Blue Green Load Balancer Setup.desired}} (did you mean \
             ${{steps.ECS Blue Green Load Balancer Setup.desiredCount}}?)"
        )
    );
    let late = refused(&[("delay: 30s", "delay: ${secrets.delay}")], &[]);
    assert!(late.contains("${secrets.delay} is known only when a step runs, and this has to be known at the start"), "{late}");
}

#[test]
fn unknown_names_are_told_where_they_stand() {
    assert_eq!(
        refused(&[("\"value\": \"${artifact.tag}\"", "\"value\": \"v ${artifact.tga}\"")], &[]),
        "service.yaml:29:46 spec.taskDefinition.containerDefinitions[0].environment[2].value: unknown expression ${artifact.tga} (did \
         you mean ${artifact.tag}?)"
    );
    assert_eq!(
        refused(&[("        value: shop", "        value: \"team ${app.nam}\"")], &[]),
        "service.yaml:40:22 spec.serviceDefinition.tags[0].value: unknown expression ${app.nam} (did you mean ${app.name}?)"
    );
    assert_eq!(
        refused(&[("loadBalancer: docs-example", "loadBalancer: ${DOCKER_IMAGE_NAME}")], &[]),
        "workflow.yaml:24:27 spec.phases[0].steps[0].blueGreenLoadBalancerSetup.loadBalancer: ${DOCKER_IMAGE_NAME} stands only for \
         something in a task definition or service definition (${artifact.image} is the image everywhere else)"
    );
    let several = refused(&[("cluster: docs-ecs", "cluster: ${env.nam}-${infra.cluster}-${x"), (NOTE, "${ }")], &[]);
    assert_eq!(several.lines().count(), 4, "{several}");
}

#[test]
fn an_execution_role_has_to_be_there_where_it_is_used() {
    let none = [("  executionRole: arn:aws:iam::123456789012:role/ecsTaskExecutionRole\n", "")];
    assert_eq!(
        refused(&none, &[]),
        "service.yaml:19:28 spec.taskDefinition.executionRoleArn: ${EXECUTION_ROLE} is used, but infrastructure shop/prod-ecs has no \
         executionRole (add executionRole to its spec, or write the role's ARN here)"
    );
    plan(&[none[0], ("      \"executionRoleArn\": \"${EXECUTION_ROLE}\",\n", "")], &[]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_given_arrives_at_the_delegate_as_it_was_given(value in "[${}a-z. \"\\\\]{0,24}", tag in "[a-z0-9._-]{0,6}") {
        let known = resources(&[(NOTE, "${service.variables.GREETING}")]);
        let mut asked = request(&[("GREETING", &value)]);
        asked.tag = tag;
        if let Ok(plan) = compile(&known, &asked, DeploymentId::new(uuid::Uuid::nil())) {
            let StepAction::Note(Note { message }) = &plan.steps[4].action else { panic!("the note is last") };
            prop_assert_eq!(expression::resolve(message, &expression::Scope::new()), Ok(value));
        }
    }

    #[test]
    fn arbitrary_requests_are_planned_or_refused(application in ".{0,20}", workflow in ".{0,20}", tag in ".{0,20}", variables in prop::collection::btree_map(".{0,12}", ".{0,12}", 0..4)) {
        let asked = crate::workflow::StartRequest { application, workflow, tag, variables: variables.into_iter().collect::<BTreeMap<_, _>>(), triggered_by: String::new() };
        let _ = compile(&resources(&[]), &asked, DeploymentId::new(uuid::Uuid::nil()));
    }
}
