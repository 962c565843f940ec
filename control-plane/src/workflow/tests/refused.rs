//! Requests that lead nowhere.

use super::fixture::{id, lines, refused, request, resources};
use crate::workflow::{Resources, StartRequest, compile};

fn says(change: impl FnOnce(&mut StartRequest)) -> String {
    let mut asked = request(&[]);
    change(&mut asked);
    lines(&compile(&resources(&[]), &asked, id()).expect_err("something is wrong"))
}

#[test]
fn names_that_mean_nothing() {
    assert_eq!(
        says(|asked| asked.workflow = "todolist-blue-gren".into()),
        "workflow: there is no workflow \"todolist-blue-gren\" in application \"shop\" (did you mean todolist-blue-green?)"
    );
    assert_eq!(
        says(|asked| asked.workflow = "x".into()),
        "workflow: there is no workflow \"x\" in application \"shop\" (known: todolist-blue-green)"
    );
    assert_eq!(
        says(|asked| asked.application = "shpo".into()),
        "application: there is no application \"shpo\" (did you mean shop?)"
    );
    assert_eq!(
        lines(&compile(&Resources::new(), &request(&[]), id()).expect_err("nothing is there")),
        "application: there is no application \"shop\" (there is none yet: apply one with kind: Application)"
    );
}

#[test]
fn tags_that_are_none() {
    assert_eq!(
        says(|asked| asked.tag = "a b".into()),
        "artifactTag: \"a b\" is not a tag of an image (letters, digits, \"_\", \".\" and \"-\", at most 128, beginning with a letter, \
         digit or \"_\")"
    );
    assert_eq!(says(|asked| asked.tag.clear()), "artifactTag: the artifact's tag is empty (give the tag of the image to deploy)");
}

#[test]
fn setups_that_deploy_two_services() {
    let second = "        - note: ${steps.Swap Target Groups.liveService} serves production\n";
    let setup = "    - name: Phase 2\n      steps:\n        - blueGreenLoadBalancerSetup: {serviceName: other, loadBalancer: a, prodListener: 1, \
                 stageListener: 2}\n";
    let found = refused(&[(second, setup)], &[]);
    assert_eq!(
        found,
        "workflow.yaml:44:11 spec.phases[1].steps[0].blueGreenLoadBalancerSetup: the setups of one workflow deploy one ECS service, \
         but these name two: ecs__blue__green__elb and other (make two workflows, or leave serviceName away)"
    );
}

#[test]
fn listeners_that_turn_out_to_be_the_same() {
    let changes = [("prodListener: 80 ", "prodListener: ${workflow.variables.DesiredInstances} ")];
    let found = refused(&changes, &[("DesiredInstances", "8080")]);
    assert!(found.contains("prod and stage listener are the same: 8080"), "{found}");
}

#[test]
fn a_plan_that_is_too_large_to_keep() {
    let large = format!("\"cpu\": \"256\", \"x\": \"{}\"", "x".repeat(60_000));
    let found = refused(&[("\"cpu\": \"256\"", &large)], &[]);
    assert!(found.contains("the plan has 6") && found.contains("make the task definition smaller"), "{found}");
}
