//! The steps that lead production's traffic from one version to the other.

use domain::{
    manifest::{BakeDocument, Duration, ShiftDocument, ShiftTrafficDocument, Source, SwapDocument, Template, WeightsDocument},
    step::{Bake, ChangeWeights, ShiftTraffic, StepAction, SwapTargetGroups, Wait},
};

use super::{alarms::MOST_ALARMS, names::Names, resolver::Resolver, setup::optional, steps::production_check};

/// Pause between two probes of a bake that says nothing.
const INTERVAL_MS: u64 = 1_000;
/// The longest that production is watched after a swap.
const LONGEST_BAKE_MS: u64 = 24 * 3_600_000;
/// The shortest pause between two probes.
const SHORTEST_INTERVAL_MS: u64 = 100;
/// The weights, the TTL and the prefix of the reference.
const NEW_WEIGHT: u8 = 100;
const OLD_WEIGHT: u8 = 0;
const TTL_SECONDS: u32 = 60;
const IDENTIFIER_PREFIX: &str = "Harness";
/// The longest TTL that Route 53 takes.
const LONGEST_TTL_SECONDS: u32 = 2_147_483_647;

/// *Swap Target Groups*.
pub(super) fn swap(said: &SwapDocument, source: &Source, names: &Names, resolver: &mut Resolver) -> Option<SwapTargetGroups> {
    let downsize_old = optional(&said.downsize_old, |yes| resolver.now(source, names, yes));
    let delay_ms = optional(&said.delay, |delay| resolver.now(source, names, delay));
    let probe_path = optional(&said.probe, |path| resolver.later(source, names, path));
    let drain_ms = optional(&said.drain, |length| resolver.now(source, names, length));
    let bake = optional(&said.bake, |said| bake(said, probe_path.clone().flatten(), source, names, resolver));
    Some(SwapTargetGroups {
        downsize_old: downsize_old?.unwrap_or(true),
        delay_seconds: delay_ms?.unwrap_or(0).div_ceil(1_000),
        drain_ms: drain_ms?,
        probe_path: probe_path?,
        bake: bake?,
    })
}

fn bake(said: &BakeDocument, probe: Option<String>, source: &Source, names: &Names, resolver: &mut Resolver) -> Option<Bake> {
    let window = resolver.now(source, names, &said.window);
    let interval = optional(&said.interval, |length| resolver.now(source, names, length));
    let failures = optional(&said.failures, |count| resolver.now(source, names, count));
    let own_probe = optional(&said.probe, |path| resolver.later(source, names, path));
    let alarms: Vec<_> = said.alarms.iter().map(|name| resolver.later(source, names, name)).collect();
    let bake = Bake {
        window_ms: window?,
        interval_ms: interval?.unwrap_or(INTERVAL_MS),
        failures: failures?.unwrap_or(1),
        probe_path: own_probe?.or(probe),
        alarms: alarms.into_iter().collect::<Option<_>>()?,
    };
    if let Some(text) = said.alarms.get(MOST_ALARMS) {
        resolver.add(source.finding(&text.text.place, format!("at most {MOST_ALARMS} alarms in one bake")));
        return None;
    }
    let mut refuse = |text: &Template<Duration>, message: String| resolver.add(source.finding(&text.text.place, message));
    match (bake.window_ms, bake.interval_ms, &said.interval) {
        (0, ..) => refuse(&said.window, "a bake of no length watches nothing".to_owned()),
        (window, ..) if window > LONGEST_BAKE_MS => {
            refuse(
                &said.window,
                format!("at most {} hours: so long the old version's tasks run beside the new ones", LONGEST_BAKE_MS / 3_600_000),
            );
        }
        (_, interval, Some(text)) if interval < SHORTEST_INTERVAL_MS => {
            refuse(text, format!("at least {SHORTEST_INTERVAL_MS} ms"));
        }
        _ => return Some(bake),
    }
    None
}

/// What a step says that says nothing.
pub(super) fn default_weights() -> ChangeWeights {
    ChangeWeights {
        new_weight: NEW_WEIGHT,
        old_weight: OLD_WEIGHT,
        ttl_seconds: TTL_SECONDS,
        downsize_old: true,
        identifier_prefix: IDENTIFIER_PREFIX.to_owned(),
    }
}

/// *Change Route 53 Weights*.
pub(super) fn weights(said: &WeightsDocument, source: &Source, names: &Names, resolver: &mut Resolver) -> Option<ChangeWeights> {
    let new_weight = optional(&said.new_weight, |weight| resolver.now(source, names, weight));
    let old_weight = optional(&said.old_weight, |weight| resolver.now(source, names, weight));
    let ttl = optional(&said.ttl, |ttl| resolver.now(source, names, ttl));
    let downsize_old = optional(&said.downsize_old, |yes| resolver.now(source, names, yes));
    let prefix = optional(&said.identifier_prefix, |prefix| resolver.later(source, names, prefix));
    let default = default_weights();
    let (new_weight, old_weight) = (new_weight?.unwrap_or(default.new_weight), old_weight?.unwrap_or(default.old_weight));
    let mut wrong = false;
    if let (0, Some(template)) = (new_weight, &said.new_weight) {
        // With all weights 0 Route 53 answers with every record.
        let finding = source.finding(&template.text.place, "the new version's weight is 0, so no customer would be led to it");
        resolver.add(finding.hint("1 to 255; 100 beside 0 leads all of them to it"));
        wrong = true;
    }
    let ttl_seconds = ttl?.unwrap_or(default.ttl_seconds);
    if let (true, Some(template)) = (ttl_seconds > LONGEST_TTL_SECONDS, &said.ttl) {
        resolver.add(source.finding(&template.text.place, format!("at most {LONGEST_TTL_SECONDS} seconds")));
        wrong = true;
    }
    if wrong {
        return None;
    }
    Some(ChangeWeights {
        new_weight,
        old_weight,
        ttl_seconds,
        downsize_old: downsize_old?.unwrap_or(default.downsize_old),
        identifier_prefix: prefix?.unwrap_or(default.identifier_prefix),
    })
}

/// *Shift Traffic*.
pub(super) fn shift_traffic(
    said: &ShiftTrafficDocument,
    source: &Source,
    names: &Names,
    resolver: &mut Resolver,
) -> Option<ShiftTraffic> {
    let weight = resolver.now(source, names, &said.weight);
    let ttl = optional(&said.ttl, |ttl| resolver.now(source, names, ttl));
    let prefix = optional(&said.identifier_prefix, |prefix| resolver.later(source, names, prefix));
    let default = default_weights();
    Some(ShiftTraffic {
        weight: weight?,
        ttl_seconds: ttl?.unwrap_or(default.ttl_seconds),
        identifier_prefix: prefix?.unwrap_or(default.identifier_prefix),
    })
}

/// The steps that `shift:` of a switch stands for: for each share the shift, a pause (which a person may end early, or stop at),
/// and a look at production where the switch has a probe. Steps of their own, so that a pause outlives every process.
pub(super) fn shift_steps(
    said: &[ShiftDocument],
    switch: &StepAction,
    source: &Source,
    names: &Names,
    resolver: &mut Resolver,
) -> Option<Vec<(String, StepAction)>> {
    let default = default_weights();
    let (ttl_seconds, identifier_prefix, probe) = match switch {
        StepAction::ChangeRoute53Weights(weights) => (weights.ttl_seconds, weights.identifier_prefix.clone(), None),
        StepAction::SwapTargetGroups(swap) => (default.ttl_seconds, default.identifier_prefix, swap.probe_path.clone()),
        _ => return Some(Vec::new()),
    };
    let read = |said: &ShiftDocument, resolver: &mut Resolver| {
        let (weight, wait) = (resolver.now(source, names, &said.weight), resolver.now(source, names, &said.wait));
        weight.zip(wait)
    };
    let read: Vec<_> = said.iter().map(|said| read(said, resolver)).collect();
    let shares = read.into_iter().collect::<Option<Vec<(u8, u64)>>>()?;
    // The shares have to grow: a shift is never a way back.
    for (said, pair) in said.iter().skip(1).zip(shares.windows(2)) {
        if pair[1].0 <= pair[0].0 {
            let message = format!("the share does not grow: {} after {}", pair[1].0, pair[0].0);
            resolver.add(source.finding(&said.weight.text.place, message).hint("write the shares in the order 10, 25, 50"));
            return None;
        }
    }
    let mut steps = Vec::new();
    for (weight, wait_ms) in shares {
        let identifier_prefix = identifier_prefix.clone();
        let shift = ShiftTraffic { weight, ttl_seconds, identifier_prefix };
        steps.push((format!("Shift Traffic to {weight} %"), StepAction::ShiftTraffic(shift)));
        steps.push((format!("Wait at {weight} %"), StepAction::Wait(Wait { seconds: wait_ms.div_ceil(1_000) })));
        if let Some(path) = &probe {
            steps.push((format!("HTTP Check at {weight} %"), StepAction::HttpCheck(production_check(path))));
        }
    }
    Some(steps)
}
