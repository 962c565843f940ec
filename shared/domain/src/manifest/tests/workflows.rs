//! What workflows say, and the order of their steps.

use super::fixture::{SETUP, only, workflow, wrong};
use crate::manifest::{ActionDocument, DesiredCountDocument};

const UPGRADE: &str = "- upgradeContainers:\n";
const SWAP: &str = "- swapTargetGroups:\n";

#[test]
fn steps_get_names_of_their_own() {
    let text =
        workflow(&format!("{SETUP}{UPGRADE}{UPGRADE}- upgradeContainers: {{}}\n  name: Upgrade Containers (3)\n{UPGRADE}"));
    let manifest = only(&text);
    let steps = &manifest.workflow().expect("a workflow").phases[0].steps;
    let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    let expected = [
        "ECS Blue Green Load Balancer Setup",
        "Upgrade Containers",
        "Upgrade Containers (2)",
        "Upgrade Containers (3)",
        "Upgrade Containers (4)",
    ];
    assert_eq!(names, expected);
    let found = wrong(&workflow("- note: a\n  name: Same\n- note: b\n  name: Same\n"));
    assert_eq!(found, "f.yaml:16:17 spec.phases[0].steps[1].name: two steps are named \"Same\"");
}

#[test]
fn steps_find_what_they_work_on() {
    let says = |steps: &[&str]| {
        let found = wrong(&workflow(&steps.concat()));
        found.lines().filter_map(|line| Some(line.split_once(": ")?.1.split_once(" (")?.0.to_owned())).collect::<Vec<_>>()
    };
    let check = "- httpCheck: {stage: /}\n";
    let nothing: [&str; 0] = [];
    assert_eq!(says(&["- note: a\n", SETUP, UPGRADE, check, SWAP, "- wait: 5s\n", "- httpCheck: {production: /}\n"]), nothing);
    assert_eq!(says(&["- note: only\n", "- wait: 1m\n", "- httpCheck: {url: \"http://a\"}\n"]), nothing);
    assert_eq!(says(&[UPGRADE]), ["no setup comes before this step"]);
    assert_eq!(says(&[check, SETUP]), ["the setup comes after a step that needs it"]);
    assert_eq!(says(&[SETUP, SETUP, UPGRADE]), ["a second setup in one phase"]);
    assert_eq!(says(&[SETUP, SWAP]), ["production would be forwarded to a version without tasks"]);
    assert_eq!(says(&[SETUP, UPGRADE, SWAP, SWAP]), ["the target groups are swapped already"]);
    assert_eq!(says(&[SETUP, UPGRADE, SWAP, UPGRADE]), ["the new version serves production already"]);
}

#[test]
fn a_desired_count_is_written_in_several_ways() {
    let desired = |written: &str| {
        let manifest = only(&workflow(&format!("{SETUP}    desiredCount: {written}\n")));
        let ActionDocument::Setup(setup) = manifest.workflow().expect("a workflow").phases[0].steps[0].action.clone() else {
            panic!("the setup is first")
        };
        match setup.version.desired {
            DesiredCountDocument::Fixed(count) => format!("fixed {}", count.text.value),
            DesiredCountDocument::SameAsRunning(max) => format!("same, {:?}", max.map(|max| max.text.value)),
        }
    };
    assert_eq!(desired("3"), "fixed 3");
    assert_eq!(desired("{fixed: \"${workflow.variables.Count}\"}"), "fixed ${workflow.variables.Count}");
    assert_eq!(desired("sameAsRunning"), "same, None");
    assert_eq!(desired("{sameAsRunning: }"), "same, None");
    assert_eq!(desired("{sameAsRunning: {max: 4}}"), "same, Some(\"4\")");
}

#[test]
fn retries_repeat_the_last_interval() {
    let manifest = only(&workflow("- note: a\n  timeout: 90s\n  retry: {count: 4, intervals: [1s, 2s]}\n"));
    let step = &manifest.workflow().expect("a workflow").phases[0].steps[0];
    assert_eq!(step.timeout_ms, Some(90_000));
    assert_eq!(step.retry.as_ref().expect("a retry").delays_ms, [1_000, 2_000, 2_000, 2_000]);
}
