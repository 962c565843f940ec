//! What holds between steps: their names, and the order in which they make sense.

use std::collections::BTreeMap;

use super::step::ActionDocument;
use crate::{
    manifest::{HttpTargetDocument, documents::Phase, fields::Findings, naming::shown, template::Wrong},
    step::StepKind,
};

/// Gives every step a name of its own: a second *Upgrade Containers* becomes *Upgrade Containers (2)*. Names that were written are
/// left alone, and two alike are an error.
pub(in crate::manifest) fn name_steps(phases: &mut [Phase], findings: &Findings<'_>) {
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    for step in phases.iter().flat_map(|phase| &phase.steps) {
        if let Some(place) = &step.written_name {
            let count = taken.entry(step.name.clone()).or_default();
            *count += 1;
            if *count == 2 {
                findings.at(place, Wrong::new(format!("two steps are named {}", shown(&step.name))));
            }
        }
    }
    for step in phases.iter_mut().flat_map(|phase| &mut phase.steps).filter(|step| step.written_name.is_none()) {
        let title = step.name.clone();
        let mut number = 1;
        while taken.contains_key(&step.name) {
            number += 1;
            step.name = format!("{title} ({number})");
        }
        taken.insert(step.name.clone(), 1);
    }
}

/// What the steps before have made of the new version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stand {
    /// There is no new version.
    Nothing,
    /// It is set up, with no tasks.
    SetUp,
    /// It runs, on stage.
    Running,
    /// It serves production.
    Live,
}

/// Checks that each step finds what it works on.
pub(in crate::manifest) fn check_shape(phases: &[Phase], findings: &Findings<'_>) {
    let mut stand = Stand::Nothing;
    for phase in phases {
        let mut has_setup = false;
        for (index, step) in phase.steps.iter().enumerate() {
            let kind = step.action.kind();
            let wrong = |message: &str, hint: &str| findings.at(&step.place, Wrong::new(message).hint(hint));
            match kind {
                StepKind::BlueGreenLoadBalancerSetup => {
                    if has_setup {
                        wrong("a second setup in one phase", "each phase sets up one version: begin another phase");
                    } else if phase.steps[..index].iter().any(|earlier| works_on_setup(&earlier.action)) {
                        wrong("the setup comes after a step that needs it", "let the setup be the first step of the phase");
                    }
                    has_setup = true;
                    stand = Stand::SetUp;
                }
                StepKind::UpgradeContainers if stand == Stand::Live => {
                    wrong("the new version serves production already", "let upgradeContainers come before swapTargetGroups");
                }
                StepKind::UpgradeContainers if stand != Stand::Nothing => stand = Stand::Running,
                StepKind::SwapTargetGroups if stand == Stand::Live => {
                    wrong("the target groups are swapped already", "one setup, one swap");
                }
                StepKind::SwapTargetGroups if stand == Stand::SetUp => wrong(
                    "production would be forwarded to a version without tasks",
                    "let upgradeContainers come between the setup and swapTargetGroups",
                ),
                StepKind::SwapTargetGroups if stand == Stand::Running => stand = Stand::Live,
                _ if works_on_setup(&step.action) && stand == Stand::Nothing && !sets_up_later(phase, index) => {
                    wrong("no setup comes before this step", "let blueGreenLoadBalancerSetup be the first step of the phase");
                }
                _ => {}
            }
        }
    }
}

/// A setup later in the phase is told there.
fn sets_up_later(phase: &Phase, index: usize) -> bool {
    phase.steps[index..].iter().any(|step| step.action.kind() == StepKind::BlueGreenLoadBalancerSetup)
}

fn works_on_setup(action: &ActionDocument) -> bool {
    match action {
        ActionDocument::Upgrade(_) | ActionDocument::Swap(_) => true,
        ActionDocument::HttpCheck(check) => !matches!(check.target, HttpTargetDocument::Url(_)),
        ActionDocument::Setup(_) | ActionDocument::Note(_) | ActionDocument::Wait(_) => false,
        ActionDocument::CloudWatchAlarms(_) | ActionDocument::ShellScript(_) | ActionDocument::Notify(_) => false,
        ActionDocument::PrometheusCheck(_) | ActionDocument::Approval(_) => false,
    }
}
