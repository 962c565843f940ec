//! A step: a mapping with one key that says its kind, beside what every step may have.

use super::{
    AlarmsDocument, ApprovalDocument, DnsSetupDocument, HttpCheckDocument, NotifyDocument, PrometheusDocument, ScriptDocument,
    SetupDocument, ShiftTrafficDocument, SwapDocument, UpgradeDocument, WeightsDocument,
};
use crate::{
    manifest::{
        fields::{Element, Mapping},
        naming::check_title,
        source::{Located, Place},
        strategies::failure_strategies,
        template::{Template, Wrong},
        written::{Duration, FreeText, Whole},
    },
    step::StepKind,
    strategy::FailureStrategy,
};

/// Retries that a step may ask for.
const RETRIES: u32 = 50;

/// A step of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepDocument {
    /// Its name, unique in the workflow: as written, else made of the kind's title.
    pub name: String,
    /// Where the step stands: the key that says its kind.
    pub place: Place,
    /// Where its name was written, if it was.
    pub(super) written_name: Option<Place>,
    /// What it does.
    pub action: ActionDocument,
    /// How long it may take over all attempts, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// How often it is tried again after a failure that may pass.
    pub retry: Option<RetryDocument>,
    /// What is done when it fails; they come before its phase's and the workflow's.
    pub failure_strategies: Vec<FailureStrategy>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionDocument {
    /// *ECS Blue Green Load Balancer Setup*.
    Setup(Box<SetupDocument>),
    /// *ECS Blue Green Route 53 Setup*.
    DnsSetup(Box<DnsSetupDocument>),
    /// *Upgrade Containers*.
    Upgrade(UpgradeDocument),
    /// *HTTP Check*.
    HttpCheck(Box<HttpCheckDocument>),
    /// *Shift Traffic*.
    Shift(Box<ShiftTrafficDocument>),
    /// *Swap Target Groups*.
    Swap(Box<SwapDocument>),
    /// *Change Route 53 Weights*.
    Weights(Box<WeightsDocument>),
    /// A line for the log.
    Note(Template<FreeText>),
    /// A pause.
    Wait(Template<Duration>),
    /// People's word.
    Approval(ApprovalDocument),
    /// *Notify*.
    Notify(Box<NotifyDocument>),
    /// *Shell Script*.
    ShellScript(Box<ScriptDocument>),
    /// *CloudWatch Alarms*.
    CloudWatchAlarms(Box<AlarmsDocument>),
    /// *Prometheus Check*.
    PrometheusCheck(Box<PrometheusDocument>),
}

/// How often, and after which waits, a step is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryDocument {
    /// Waits before the second, third ... attempt, in milliseconds.
    pub delays_ms: Vec<u64>,
}

impl ActionDocument {
    /// Its kind.
    pub fn kind(&self) -> StepKind {
        match self {
            Self::Setup(_) => StepKind::BlueGreenLoadBalancerSetup,
            Self::DnsSetup(_) => StepKind::BlueGreenRoute53Setup,
            Self::Upgrade(_) => StepKind::UpgradeContainers,
            Self::HttpCheck(_) => StepKind::HttpCheck,
            Self::Shift(_) => StepKind::ShiftTraffic,
            Self::Swap(_) => StepKind::SwapTargetGroups,
            Self::Weights(_) => StepKind::ChangeRoute53Weights,
            Self::Note(_) => StepKind::Note,
            Self::Wait(_) => StepKind::Wait,
            Self::Approval(_) => StepKind::Approval,
            Self::Notify(_) => StepKind::Notify,
            Self::ShellScript(_) => StepKind::ShellScript,
            Self::CloudWatchAlarms(_) => StepKind::CloudWatchAlarms,
            Self::PrometheusCheck(_) => StepKind::PrometheusCheck,
        }
    }
}

/// Every key a step may have: its kinds first.
const KNOWN: [&str; 18] = [
    "blueGreenLoadBalancerSetup",
    "blueGreenRoute53Setup",
    "upgradeContainers",
    "shiftTraffic",
    "swapTargetGroups",
    "changeRoute53Weights",
    "httpCheck",
    "note",
    "wait",
    "approval",
    "prometheusCheck",
    "cloudWatchAlarms",
    "shellScript",
    "notify",
    "name",
    "timeout",
    "retry",
    "failureStrategies",
];

impl StepDocument {
    pub(in crate::manifest) fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&KNOWN)?;
        let (kind, action) = Self::kind(&fields)?;
        let name = fields.optional_value::<FreeText>("name");
        if let Some(name) = &name
            && let Err(wrong) = check_title(&name.value)
        {
            element.findings().at(&name.place, wrong);
        }
        let timeout = fields.optional_value::<Duration>("timeout").filter(|timeout| check_timeout(kind, timeout, element));
        let retry = fields.optional("retry").and_then(|retry| RetryDocument::read(&retry));
        let failure_strategies = failure_strategies(&fields, Some(kind));
        let place = action.key_place();
        let action = Self::action(kind, &action)?;
        let (name, written_name) = match name {
            Some(name) => (name.value, Some(name.place)),
            None => (kind.title().to_owned(), None),
        };
        let timeout_ms = timeout.map(|timeout| timeout.value);
        Some(Self { name, place, written_name, action, timeout_ms, retry, failure_strategies })
    }

    /// The one key that says what the step does.
    fn kind<'a>(fields: &Mapping<'a>) -> Option<(StepKind, Element<'a>)> {
        let present = StepKind::of_documents().filter_map(|kind| Some((kind, fields.present(kind.as_str())?)));
        let mut present: Vec<_> = present.collect();
        let names = |kinds: &[&str]| kinds.join(", ");
        let step = fields.element();
        match present.len() {
            1 => present.pop(),
            0 => {
                // A misspelt kind is told already, as an unknown field.
                if !fields.has_unknown() {
                    let known = names(&StepKind::of_documents().map(StepKind::as_str).collect::<Vec<_>>());
                    step.findings()
                        .at(&step.key_place(), Wrong::new("the step does not say what it does").hint(format!("known: {known}")));
                }
                None
            }
            _ => {
                let found: Vec<_> = present.iter().map(|(kind, _)| kind.as_str()).collect();
                let wrong = Wrong::new(format!("one step says several things to do: {}", names(&found)));
                step.findings().at(&present[1].1.key_place(), wrong.hint("begin a new list entry (-) for each"));
                None
            }
        }
    }

    fn action(kind: StepKind, element: &Element<'_>) -> Option<ActionDocument> {
        Some(match kind {
            StepKind::BlueGreenLoadBalancerSetup => ActionDocument::Setup(Box::new(SetupDocument::read(element)?)),
            StepKind::BlueGreenRoute53Setup => ActionDocument::DnsSetup(Box::new(DnsSetupDocument::read(element)?)),
            // No document names it, see `kind`.
            StepKind::PreviousVersionSetup => return None,
            StepKind::UpgradeContainers => ActionDocument::Upgrade(UpgradeDocument::read(element)?),
            StepKind::HttpCheck => ActionDocument::HttpCheck(Box::new(HttpCheckDocument::read(element)?)),
            StepKind::ShiftTraffic => ActionDocument::Shift(Box::new(ShiftTrafficDocument::read(element)?)),
            StepKind::SwapTargetGroups => ActionDocument::Swap(Box::new(SwapDocument::read(element)?)),
            StepKind::ChangeRoute53Weights => ActionDocument::Weights(Box::new(WeightsDocument::read(element)?)),
            StepKind::Note => ActionDocument::Note(element.template()?),
            StepKind::Wait => ActionDocument::Wait(element.template()?),
            StepKind::PrometheusCheck => ActionDocument::PrometheusCheck(Box::new(PrometheusDocument::read(element)?)),
            StepKind::CloudWatchAlarms => ActionDocument::CloudWatchAlarms(Box::new(AlarmsDocument::read(element)?)),
            StepKind::ShellScript => ActionDocument::ShellScript(Box::new(ScriptDocument::read(element)?)),
            StepKind::Notify => ActionDocument::Notify(Box::new(NotifyDocument::read(element)?)),
            StepKind::Approval => ActionDocument::Approval(ApprovalDocument::read(element)?),
        })
    }
}

fn check_timeout(kind: StepKind, timeout: &Located<u64>, element: &Element<'_>) -> bool {
    let wrong = if kind == StepKind::Wait {
        Wrong::new("a wait takes as long as it says; it has no timeout")
    } else if kind == StepKind::Approval {
        Wrong::new("an approval's own timeout says how long it waits").hint("write it below approval:")
    } else if timeout.value < 1_000 {
        Wrong::new("a step that may take less than a second can't succeed")
    } else {
        return true;
    };
    element.findings().at(&timeout.place, wrong);
    false
}

impl RetryDocument {
    /// `{count: 3, intervals: [5s, 30s]}`: the last interval is used for all that follow.
    pub(in crate::manifest) fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&["count", "intervals"])?;
        let count = fields.optional_value::<Whole>("count");
        let intervals = fields.optional("intervals");
        let delays: Vec<u64> = match &intervals {
            Some(list) => list.list()?.iter().filter_map(|item| item.value::<Duration>()).map(|item| item.value).collect(),
            None => vec![5_000],
        };
        let Some(last) = delays.last().copied() else {
            element.wrong(Wrong::new("\"intervals\" is an empty list").hint("leave it away for 5s"));
            return None;
        };
        let given = u32::try_from(delays.len()).unwrap_or(u32::MAX);
        let wanted = count.as_ref().map_or(given, |count| count.value);
        if wanted > RETRIES {
            element.wrong(Wrong::new(format!("{wanted} retries; at most {RETRIES} are made")));
            return None;
        }
        if let Some(count) = count.filter(|count| count.value < given && intervals.is_some()) {
            let wrong = Wrong::new(format!("{} retries but {given} intervals: the last ones are never used", count.value));
            element.findings().at(&count.place, wrong);
            return None;
        }
        let wanted = usize::try_from(wanted).unwrap_or(0);
        Some(Self { delays_ms: delays.into_iter().chain(std::iter::repeat(last)).take(wanted).collect() })
    }
}
