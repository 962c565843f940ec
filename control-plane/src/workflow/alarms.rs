//! A look at CloudWatch alarms as the engine plans it.

use domain::{
    manifest::{AlarmsDocument, Source},
    step::{CloudWatchAlarms, InsufficientData},
};

use super::{names::Names, resolver::Resolver, setup::optional};

const HOLD_MS: u64 = 60_000;
const INTERVAL_MS: u64 = 15_000;
/// The shortest pause between two looks: CloudWatch judges an alarm every ten seconds at most.
const SHORTEST_INTERVAL_MS: u64 = 1_000;
/// Alarms of one step: as many as CloudWatch describes at once.
pub(super) const MOST_ALARMS: usize = 100;

/// The look with every expression replaced that can be. None: something is wrong and noted, or still open.
pub(super) fn alarms(said: &AlarmsDocument, source: &Source, names: &Names, resolver: &mut Resolver) -> Option<CloudWatchAlarms> {
    let alarms: Vec<_> = said.alarms.iter().map(|name| resolver.later(source, names, name)).collect();
    let hold = optional(&said.hold, |length| resolver.now(source, names, length));
    let interval = optional(&said.interval, |length| resolver.now(source, names, length));
    let insufficient_data = optional(&said.insufficient_data, |choice| resolver.now(source, names, choice));
    let look = CloudWatchAlarms {
        alarms: alarms.into_iter().collect::<Option<_>>()?,
        hold_ms: hold?.unwrap_or(HOLD_MS),
        interval_ms: interval?.unwrap_or(INTERVAL_MS),
        insufficient_data: insufficient_data?.unwrap_or(InsufficientData::Good),
    };
    let short = said.interval.as_ref().filter(|_| look.interval_ms < SHORTEST_INTERVAL_MS);
    let one_too_many = said.alarms.get(MOST_ALARMS);
    let wrong = match (short, one_too_many) {
        (Some(text), _) => source.finding(&text.text.place, format!("at least {SHORTEST_INTERVAL_MS} ms")),
        (None, Some(text)) => source.finding(&text.text.place, format!("at most {MOST_ALARMS} alarms in one step")),
        (None, None) => return Some(look),
    };
    resolver.add(wrong);
    None
}
