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

/// How production is led from one version to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::manifest) enum Switch {
    /// By listeners and rules of load balancers.
    LoadBalancer,
    /// By weighted records.
    Dns,
}

impl Switch {
    /// The kinds of its setup and of its switch.
    fn kinds(self) -> (StepKind, StepKind) {
        match self {
            Self::LoadBalancer => (StepKind::BlueGreenLoadBalancerSetup, StepKind::SwapTargetGroups),
            Self::Dns => (StepKind::BlueGreenRoute53Setup, StepKind::ChangeRoute53Weights),
        }
    }

    fn other(self) -> Self {
        match self {
            Self::LoadBalancer => Self::Dns,
            Self::Dns => Self::LoadBalancer,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::LoadBalancer => "loadBalancer",
            Self::Dns => "dns",
        }
    }
}

/// Checks that each step finds what it works on.
pub(in crate::manifest) fn check_shape(phases: &[Phase], switch: Switch, findings: &Findings<'_>) {
    let (setup, swap) = switch.kinds();
    let others = switch.other().kinds();
    let mut stand = Stand::Nothing;
    for phase in phases {
        let mut has_setup = false;
        for (index, step) in phase.steps.iter().enumerate() {
            let kind = step.action.kind();
            let wrong = |message: String, hint: String| findings.at(&step.place, Wrong::new(message).hint(hint));
            let (set_up, swapped) = (setup.as_str(), swap.as_str());
            if kind == others.0 || kind == others.1 {
                let instead = if kind == others.0 { set_up } else { swapped };
                wrong(
                    format!("{} belongs to workflows with switch: {}", kind.as_str(), switch.other().word()),
                    format!("this one has switch: {}, and {instead} in its place", switch.word()),
                );
            } else if kind == setup {
                if has_setup {
                    wrong("a second setup in one phase".into(), "each phase sets up one version: begin another phase".into());
                } else if phase.steps[..index].iter().any(|earlier| works_on_setup(&earlier.action)) {
                    wrong(
                        "the setup comes after a step that needs it".into(),
                        "let the setup be the first step of the phase".into(),
                    );
                }
                has_setup = true;
                stand = Stand::SetUp;
            } else if kind == StepKind::UpgradeContainers && stand == Stand::Live {
                wrong("the new version serves production already".into(), format!("let upgradeContainers come before {swapped}"));
            } else if kind == StepKind::UpgradeContainers && stand != Stand::Nothing {
                stand = Stand::Running;
            } else if kind == StepKind::ShiftTraffic && stand == Stand::SetUp {
                wrong(
                    "production would be shared with a version without tasks".into(),
                    "let upgradeContainers come between the setup and shiftTraffic".into(),
                );
            } else if kind == StepKind::ShiftTraffic && stand == Stand::Live {
                wrong("the new version serves production already".into(), format!("let shiftTraffic come before {swapped}"));
            } else if kind == swap && stand == Stand::Live {
                let what = if switch == Switch::Dns { "weights are changed" } else { "target groups are swapped" };
                wrong(format!("the {what} already"), "one setup, one swap".into());
            } else if kind == swap && stand == Stand::SetUp {
                wrong(
                    "production would be forwarded to a version without tasks".into(),
                    format!("let upgradeContainers come between the setup and {swapped}"),
                );
            } else if kind == swap && stand == Stand::Running {
                stand = Stand::Live;
            } else if works_on_setup(&step.action) && stand == Stand::Nothing && !sets_up_later(phase, index, setup) {
                wrong("no setup comes before this step".into(), format!("let {set_up} be the first step of the phase"));
            }
        }
    }
}

/// A setup later in the phase is told there.
fn sets_up_later(phase: &Phase, index: usize, setup: StepKind) -> bool {
    phase.steps[index..].iter().any(|step| step.action.kind() == setup)
}

fn works_on_setup(action: &ActionDocument) -> bool {
    match action {
        ActionDocument::Upgrade(_) | ActionDocument::Shift(_) | ActionDocument::Swap(_) | ActionDocument::Weights(_) => true,
        ActionDocument::HttpCheck(check) => !matches!(check.target, HttpTargetDocument::Url(_)),
        ActionDocument::Setup(_) | ActionDocument::DnsSetup(_) | ActionDocument::Note(_) | ActionDocument::Wait(_) => false,
        ActionDocument::CloudWatchAlarms(_) | ActionDocument::ShellScript(_) | ActionDocument::Notify(_) => false,
        ActionDocument::PrometheusCheck(_) | ActionDocument::Approval(_) => false,
    }
}
