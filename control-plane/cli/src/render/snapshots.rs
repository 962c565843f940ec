//! What a person sees, whole: the files beside this one in `snapshots/`. Changed on purpose? `INSTA_UPDATE=always` writes them anew.

use std::time::Duration;

use clap::CommandFactory as _;
use domain::discovery::{Answer, Findings, Listener, LoadBalancer, Rule, TargetGroup};
use insta::assert_snapshot;

use super::explained::Verdict;
use super::{
    fixture::{START_MS, finished, needs_operator, rolled_back, running, waiting},
    *,
};
use crate::args::Arguments;

/// The story of a deployment that was seen in these states, with a line of log in its first step.
fn told(views: &[domain::deployment::DeploymentView]) -> String {
    let (mut story, mut said) = (Story::default(), Vec::new());
    for (view, second) in views.iter().zip(0..) {
        said.extend(story.view(view, Duration::from_secs(second)));
        if second == 0 && view.steps[0].state == domain::deployment::StepState::Running {
            let part = Part { step: 0, undo: false };
            let text = "Cluster Name: docs-ecs\u{1b}[31m".to_owned();
            said.extend(story.line(Line { part, name: view.steps[0].name.clone(), level: domain::log::LogLevel::Info, text }));
        }
    }
    said.extend(story.rest());
    said.iter().map(plain).collect()
}

fn delegate(name: &str, connected: bool) -> Delegate {
    Delegate {
        id: "dlg_00000000000000000000000000000001".to_owned(),
        name: name.to_owned(),
        connected,
        draining: false,
        version: "0.1.0".to_owned(),
        selectors: vec![name.to_owned(), "vpc-blue".to_owned()],
        tasks: Vec::new(),
        enrolled_at_ms: START_MS,
        last_seen_ms: if connected { START_MS + 60_000 } else { 0 },
        lease_remaining_ms: 9_000,
        certificate_expires_at_ms: START_MS + 86_400_000,
        applications: Vec::new(),
        environments: vec!["prod".to_owned()],
        revoked_at_ms: 0,
        revoked_by: String::new(),
        instance_id: "run_00000000000000000000000000000002".to_owned(),
        identity: String::new(),
        step_kinds: vec!["note".to_owned()],
        copied_at_ms: 0,
        copied_instance_ids: Vec::new(),
    }
}

fn answer(found: Vec<LoadBalancer>) -> Answer {
    Answer {
        account: "123456789012".to_owned(),
        identity: "arn:aws:sts::123456789012:assumed-role/deployer/segue-delegate-1".to_owned(),
        region: "us-west-1".to_owned(),
        vpc: Some("vpc-0a1b2c3d4e5f67890".to_owned()),
        findings: Findings::LoadBalancers(found),
    }
}

fn arn(what: &str) -> String {
    format!("arn:aws:elasticloadbalancing:us-west-1:123456789012:{what}")
}

fn listener(port: u16, group: &str) -> Listener {
    let group = TargetGroup {
        name: group.to_owned(),
        arn: arn(&format!("targetgroup/{group}/73e2d6bc24d8a067")),
        weight: 1,
        port: 8080,
        protocol: "HTTP".to_owned(),
        target_type: "ip".to_owned(),
        healthy: 2,
        targets: 2,
    };
    let refusing = Rule {
        arn: arn("listener-rule/app/docs-example/1/2/3"),
        priority: "10".to_owned(),
        conditions: vec!["path-pattern /admin/*".to_owned()],
        actions: vec!["fixed-response 404".to_owned()],
        target_groups: Vec::new(),
    };
    let default = Rule {
        arn: arn("listener-rule/app/docs-example/1/2/4"),
        priority: "default".to_owned(),
        conditions: Vec::new(),
        actions: Vec::new(),
        target_groups: vec![group],
    };
    Listener { arn: arn("listener/app/docs-example/1/2"), port, protocol: "HTTP".to_owned(), rules: vec![refusing, default] }
}

#[test]
fn a_deployment_that_goes_well() {
    assert_snapshot!(told(&[running(0), running(1), finished()]) + &ending(&finished(), Look::PLAIN));
}

#[test]
fn a_deployment_that_is_rolled_back_is_never_called_a_success() {
    let shown = told(&[running(0), rolled_back()]) + &ending(&rolled_back(), Look::PLAIN);
    assert!(!shown.contains("succeeded"), "{shown}");
    assert_snapshot!(shown);
}

#[test]
fn a_deployment_that_needs_an_operator() {
    assert_snapshot!(told(&[running(0), needs_operator()]) + &ending(&needs_operator(), Look::PLAIN));
}

#[test]
fn a_deployment_that_waits_says_for_what() {
    assert_snapshot!(told(&[waiting()]) + &show(&waiting()));
}

#[test]
fn deployments_in_full_and_in_rows() {
    let views = [finished(), rolled_back(), needs_operator(), running(1)];
    let shown: Vec<String> = views.iter().map(show).collect();
    assert_snapshot!(deployments(&views, Look::PLAIN) + "\n" + &shown.join("\n"));
}

#[test]
fn on_a_narrow_terminal_an_id_stays_in_one_piece() {
    let narrow = Look { width: Some(72), ..Look::PLAIN };
    let shown = deployments(&[finished(), running(1)], narrow);
    assert!(shown.lines().all(|line| line.chars().count() <= 72) && shown.contains(&running(1).id.to_string()), "{shown}");
    assert_snapshot!(shown);
}

#[test]
fn the_end_for_programs() {
    let shown =
        [finished(), needs_operator()].map(|view| serde_json::to_string_pretty(&Ending::of(&view)).expect("it has a JSON form"));
    assert_snapshot!(shown.join("\n"));
}

#[test]
fn one_delegate() {
    let revoked =
        Delegate { revoked_at_ms: START_MS + 5_000, revoked_by: "ada".to_owned(), ..delegate("delegate-2\u{1b}]0;", false) };
    let copied = Delegate {
        copied_at_ms: START_MS + 9_000,
        copied_instance_ids: ["2", "3"].map(|end| format!("run_0000000000000000000000000000000{end}")).to_vec(),
        ..delegate("delegate-3", true)
    };
    let shown = [delegate("delegate-1", true), revoked, copied].map(|delegate| super::delegates::delegate(&delegate));
    assert_snapshot!(shown.join("\n"));
}

#[test]
fn who_could_take_it() {
    let verdict = |name: &str, holds, objection: &str| Verdict {
        id: "dlg_00000000000000000000000000000001".to_owned(),
        name: name.to_owned(),
        holds,
        eligible: objection.is_empty(),
        objection: objection.to_owned(),
        tasks: u32::from(holds),
    };
    let delegates = vec![
        verdict("delegate-1", true, ""),
        verdict("delegate-2", false, ""),
        verdict("delegate-3", false, "is not for the environment prod (its scope: environments test)"),
    ];
    assert_snapshot!(explained(&Explained { step: "Upgrade Containers".to_owned(), delegates }, Look::PLAIN));
}

#[test]
fn delegates_in_rows() {
    assert_snapshot!(delegates(&[delegate("delegate-1", true), delegate("delegate-2\u{1b}]0;", false)], Look::PLAIN));
}

#[test]
fn load_balancers_as_a_tree_and_what_an_empty_answer_says() {
    let balancer = LoadBalancer {
        name: "docs-example".to_owned(),
        arn: arn("loadbalancer/app/docs-example/50dc6c495c0c9188"),
        dns_name: "docs-example-1.us-west-1.elb.amazonaws.com".to_owned(),
        kind: "application".to_owned(),
        scheme: "internal".to_owned(),
        state: "active".to_owned(),
        vpc: "vpc-0a1b2c3d4e5f67890".to_owned(),
        listeners: vec![listener(8080, "docs-example-1"), listener(8081, "docs-example-2")],
    };
    let shown = load_balancers(&answer(vec![balancer]), "delegate-1") + "\n" + &load_balancers(&answer(Vec::new()), "delegate-1");
    assert_snapshot!(shown);
}

#[test]
fn help() {
    let mut command = Arguments::command();
    command.build();
    let mut shown = String::new();
    let mut every = vec![&mut command];
    while let Some(command) = every.pop() {
        let name = command.get_bin_name().unwrap_or("segue").to_owned();
        shown += &format!("$ {name} --help\n{}\n", command.clone().term_width(100).render_long_help());
        every.extend(command.get_subcommands_mut().filter(|one| one.get_name() != "help"));
    }
    assert_snapshot!(shown.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>());
}
