//! The steps of a workflow as the engine plans them.

use domain::{
    manifest::{
        ActionDocument, Diagnostic, HttpCheckDocument, HttpTargetDocument, Manifest, Phase, ShiftDocument, Source, StepDocument,
        Workflow,
    },
    retry::RetryPolicy,
    step::{HttpCheck, HttpTarget, Note, StepAction, UpgradeContainers, Wait},
};
use engine::{DEFAULT_HAND_OVERS, PlannedStep};

use super::{
    actions::{notify, shell_script},
    alarms::alarms,
    approval::approval,
    draft::{Documents, family},
    names::Names,
    prometheus::prometheus,
    resolver::Resolver,
    setup::{Placeholders, Said, dns_setup, load_balancer_setup, optional},
    switch::{shift_steps, shift_traffic, swap, weights},
};

const DESIRED: &str = "100%";
const MAX_LATENCY_MS: u64 = 5_000;
const CONSECUTIVE: u32 = 3;
const INTERVAL_MS: u64 = 1_000;
const WITHIN_MS: u64 = 60_000;
/// Minutes that a service may take to be steady in a workflow whose setup is in doubt.
const STEADY_MINUTES: u64 = 10;

/// Family of the line and the steps of all phases, in order. None: something is wrong and noted, or still open.
pub(super) fn steps(
    documents: &Documents,
    manifest: &Manifest,
    workflow: &Workflow,
    names: &Names,
    placeholders: &Placeholders,
    resolver: &mut Resolver,
) -> Option<(String, Vec<PlannedStep>)> {
    let all: Vec<(&Phase, &StepDocument)> =
        workflow.phases.iter().flat_map(|phase| phase.steps.iter().map(move |step| (phase, step))).collect();
    let mut names = names.clone();
    for (_, step) in &all {
        explain_later(&mut names, step);
    }
    let mut planned: Vec<Option<PlannedStep>> = Vec::new();
    let mut line: Option<String> = None;
    let mut steady_minutes = STEADY_MINUTES;
    for (phase, step) in all {
        let action = action(step, documents, &manifest.source, &names, placeholders, resolver);
        let version = match &action {
            Some(StepAction::BlueGreenLoadBalancerSetup(setup)) => Some(&setup.version),
            Some(StepAction::BlueGreenRoute53Setup(setup)) => Some(&setup.version),
            _ => None,
        };
        if let Some(version) = version {
            steady_minutes = u64::from(version.steady_state_timeout_minutes);
            match &line {
                Some(line) if *line != version.family => {
                    resolver.add(two_lines(&manifest.source, step, line, &version.family));
                }
                _ => line = Some(version.family.clone()),
            }
        }
        let planned_step = |name: String, action: StepAction, timeout_ms: Option<u64>| PlannedStep {
            name,
            phase: phase.name.clone(),
            timeout_seconds: timeout_ms.map_or_else(|| timeout_seconds(&action, steady_minutes), |ms| ms.div_ceil(1_000)),
            retry: step
                .retry
                .as_ref()
                .map_or_else(RetryPolicy::transient, |retry| RetryPolicy { delays_ms: retry.delays_ms.clone() }),
            strategies: [&step.failure_strategies, &phase.failure_strategies, &workflow.failure_strategies]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            hand_overs: DEFAULT_HAND_OVERS,
            action,
        };
        if let Some(action) = &action {
            let before = shift_steps(shift_of(step), action, &manifest.source, &names, resolver);
            let shifts = before.is_some();
            for (name, action) in before.into_iter().flatten() {
                planned.push(Some(planned_step(unused(name, workflow, &planned), action, None)));
            }
            if !shifts {
                planned.push(None);
            }
        }
        planned.push(action.map(|action| planned_step(step.name.clone(), action, step.timeout_ms)));
        for output in step.action.kind().output_names() {
            names.defer(&format!("steps.{}.{output}", step.name));
        }
    }
    let planned = planned.into_iter().collect::<Option<_>>()?;
    Some((line.or_else(|| family(documents))?, planned))
}

fn shift_of(step: &StepDocument) -> &[ShiftDocument] {
    match &step.action {
        ActionDocument::Swap(said) => &said.shift,
        ActionDocument::Weights(said) => &said.shift,
        _ => &[],
    }
}

/// The name, or the name with a number: no two steps of a plan are called the same.
fn unused(name: String, workflow: &Workflow, planned: &[Option<PlannedStep>]) -> String {
    let taken = |name: &str| {
        workflow.phases.iter().flat_map(|phase| &phase.steps).any(|step| step.name == name)
            || planned.iter().flatten().any(|step| step.name == name)
    };
    if !taken(&name) {
        return name;
    }
    let numbered = (2..).map(|number| format!("{name} ({number})")).find(|name| !taken(name));
    numbered.unwrap_or(name)
}

/// What a step hands on is known only to steps after it.
fn explain_later(names: &mut Names, step: &StepDocument) {
    for output in step.action.kind().output_names() {
        let reason = format!("is known only to steps after {:?}", step.name);
        names.explain(&format!("steps.{}.{output}", step.name), reason, "outputs of earlier steps can be used");
    }
}

fn two_lines(source: &Source, step: &StepDocument, first: &str, second: &str) -> Diagnostic {
    let message = format!("the setups of one workflow deploy one ECS service, but these name two: {first} and {second}");
    source.finding(&step.place, message).hint("make two workflows, or leave serviceName away")
}

/// How long a step may take when the document does not say: what it waits for at most, and time for its calls.
pub(super) fn timeout_seconds(action: &StepAction, steady_minutes: u64) -> u64 {
    let steady = steady_minutes.saturating_mul(60);
    match action {
        StepAction::BlueGreenLoadBalancerSetup(_) | StepAction::BlueGreenRoute53Setup(_) => steady.max(900),
        StepAction::PreviousVersionSetup(_) => 300,
        StepAction::UpgradeContainers(_) => steady.saturating_mul(2).saturating_add(300),
        StepAction::SwapTargetGroups(swap) => {
            let bake_seconds = swap.bake.as_ref().map_or(0, |bake| bake.window_ms.div_ceil(1_000));
            let drain_seconds = swap.drain_ms.unwrap_or(0).div_ceil(1_000);
            let own = [swap.delay_seconds, bake_seconds, drain_seconds, 600];
            own.into_iter().fold(steady.saturating_mul(2), u64::saturating_add)
        }
        StepAction::ChangeRoute53Weights(weights) => {
            steady.saturating_mul(2).saturating_add(u64::from(weights.ttl_seconds)).saturating_add(1_200)
        }
        StepAction::ShiftTraffic(_) => 900,
        StepAction::HttpCheck(check) => (check.within_ms.saturating_add(check.max_latency_ms)).div_ceil(1_000).saturating_add(60),
        StepAction::Note(_) => 60,
        StepAction::Wait(wait) => wait.seconds.max(1),
        StepAction::PrometheusCheck(check) => check.within_ms.div_ceil(1_000).saturating_add(60),
        StepAction::CloudWatchAlarms(look) => look.hold_ms.div_ceil(1_000).saturating_add(120),
        StepAction::ShellScript(script) => script.timeout_ms.div_ceil(1_000).saturating_add(60),
        StepAction::Notify(_) => 120,
        StepAction::Approval(approval) => approval.timeout_seconds,
    }
}

fn action(
    step: &StepDocument,
    documents: &Documents,
    source: &Source,
    names: &Names,
    placeholders: &Placeholders,
    resolver: &mut Resolver,
) -> Option<StepAction> {
    Some(match &step.action {
        ActionDocument::Setup(said) => {
            let of = Said { documents, source, names, placeholders };
            StepAction::BlueGreenLoadBalancerSetup(Box::new(load_balancer_setup(said, &of, resolver)?))
        }
        ActionDocument::DnsSetup(said) => {
            let of = Said { documents, source, names, placeholders };
            StepAction::BlueGreenRoute53Setup(Box::new(dns_setup(said, &of, resolver)?))
        }
        ActionDocument::Weights(said) => StepAction::ChangeRoute53Weights(weights(said, source, names, resolver)?),
        ActionDocument::Upgrade(said) => {
            let desired = match &said.desired {
                Some(desired) => resolver.later(source, names, desired)?,
                None => DESIRED.to_owned(),
            };
            StepAction::UpgradeContainers(UpgradeContainers { desired })
        }
        ActionDocument::HttpCheck(said) => StepAction::HttpCheck(http_check(said, source, names, resolver)?),
        ActionDocument::Shift(said) => StepAction::ShiftTraffic(shift_traffic(said, source, names, resolver)?),
        ActionDocument::Swap(said) => StepAction::SwapTargetGroups(swap(said, source, names, resolver)?),
        ActionDocument::Note(message) => StepAction::Note(Note { message: resolver.later(source, names, message)? }),
        ActionDocument::Wait(length) => StepAction::Wait(Wait { seconds: resolver.now(source, names, length)?.div_ceil(1_000) }),
        ActionDocument::PrometheusCheck(said) => {
            StepAction::PrometheusCheck(Box::new(prometheus(said, source, names, resolver)?))
        }
        ActionDocument::CloudWatchAlarms(said) => StepAction::CloudWatchAlarms(alarms(said, source, names, resolver)?),
        ActionDocument::ShellScript(said) => StepAction::ShellScript(shell_script(said, source, names, resolver)?),
        ActionDocument::Notify(said) => StepAction::Notify(notify(said, source, names, resolver)?),
        ActionDocument::Approval(said) => StepAction::Approval(approval(said, source, names, resolver)?),
    })
}

/// A look at production while traffic is shared, with everything as it is when nothing is said.
pub(super) fn production_check(path: &str) -> HttpCheck {
    HttpCheck {
        target: HttpTarget::SharedProduction(path.to_owned()),
        status: Vec::new(),
        body_contains: None,
        headers: Default::default(),
        max_latency_ms: MAX_LATENCY_MS,
        consecutive: CONSECUTIVE,
        interval_ms: INTERVAL_MS,
        within_ms: WITHIN_MS,
    }
}

fn http_check(said: &HttpCheckDocument, source: &Source, names: &Names, resolver: &mut Resolver) -> Option<HttpCheck> {
    let target = match &said.target {
        HttpTargetDocument::Stage(path) => resolver.later(source, names, path).map(HttpTarget::Stage),
        HttpTargetDocument::Production(path) => resolver.later(source, names, path).map(HttpTarget::Production),
        HttpTargetDocument::Url(url) => resolver.later(source, names, url).map(HttpTarget::Url),
    };
    let status: Vec<_> = said.status.iter().map(|status| resolver.now(source, names, status)).collect();
    let body_contains = optional(&said.body_contains, |text| resolver.later(source, names, text));
    let headers: Vec<_> =
        said.headers.iter().map(|(name, value)| Some((name.clone(), resolver.later(source, names, value)?))).collect();
    let max_latency = optional(&said.max_latency, |length| resolver.now(source, names, length));
    let consecutive = optional(&said.consecutive, |count| resolver.now(source, names, count));
    let interval = optional(&said.interval, |length| resolver.now(source, names, length));
    let within = optional(&said.within, |length| resolver.now(source, names, length));
    Some(HttpCheck {
        target: target?,
        status: status.into_iter().collect::<Option<_>>()?,
        body_contains: body_contains?,
        headers: headers.into_iter().collect::<Option<_>>()?,
        max_latency_ms: max_latency?.unwrap_or(MAX_LATENCY_MS),
        consecutive: consecutive?.unwrap_or(CONSECUTIVE),
        interval_ms: interval?.unwrap_or(INTERVAL_MS),
        within_ms: within?.unwrap_or(WITHIN_MS),
    })
}
