//! A Prometheus check as the engine plans it.

use domain::{
    manifest::{BoundDocument, PrometheusDocument, Source},
    step::{Bound, PrometheusCheck},
};

use super::{names::Names, resolver::Resolver, setup::optional};

const HOLD_MS: u64 = 60_000;
const INTERVAL_MS: u64 = 10_000;
const WITHIN_MS: u64 = 300_000;
/// The shortest pause between two questions: Prometheus itself looks far more rarely.
const SHORTEST_INTERVAL_MS: u64 = 100;

/// The check with every expression replaced that can be. None: something is wrong and noted, or still open.
pub(super) fn prometheus(
    said: &PrometheusDocument,
    source: &Source,
    names: &Names,
    resolver: &mut Resolver,
) -> Option<PrometheusCheck> {
    let url = resolver.later(source, names, &said.url);
    let query = resolver.later(source, names, &said.query);
    let bound = bound(&said.bound, source, names, resolver);
    let hold = optional(&said.hold, |length| resolver.now(source, names, length));
    let interval = optional(&said.interval, |length| resolver.now(source, names, length));
    let within = optional(&said.within, |length| resolver.now(source, names, length));
    let headers: Vec<_> =
        said.headers.iter().map(|(name, value)| Some((name.clone(), resolver.later(source, names, value)?))).collect();
    let check = PrometheusCheck {
        url: url?,
        query: query?,
        bound: bound?,
        hold_ms: hold?.unwrap_or(HOLD_MS),
        interval_ms: interval?.unwrap_or(INTERVAL_MS),
        within_ms: within?.unwrap_or(WITHIN_MS),
        headers: headers.into_iter().collect::<Option<_>>()?,
    };
    let wrong = if check.url.contains(['?', '#']) {
        Some((&said.url.text.place, "the URL is where Prometheus is, without a question: http://prometheus:9090".to_owned()))
    } else if check.query.trim().is_empty() {
        Some((&said.query.text.place, "the query is empty".to_owned()))
    } else if check.hold_ms > check.within_ms {
        let place =
            [&said.hold, &said.within].into_iter().flatten().next().map_or(&said.query.text.place, |text| &text.text.place);
        let (hold, within) = (check.hold_ms / 1_000, check.within_ms / 1_000);
        Some((place, format!("it can't be good for {hold} s within {within} s: \"for\" is longer than \"within\"")))
    } else {
        let short = said.interval.as_ref().filter(|_| check.interval_ms < SHORTEST_INTERVAL_MS);
        short.map(|text| (&text.text.place, format!("at least {SHORTEST_INTERVAL_MS} ms")))
    };
    match wrong {
        Some((place, message)) => {
            resolver.add(source.finding(place, message));
            None
        }
        None => Some(check),
    }
}

fn bound(said: &BoundDocument, source: &Source, names: &Names, resolver: &mut Resolver) -> Option<Bound> {
    match said {
        BoundDocument::Below(most) => resolver.now(source, names, most).map(Bound::Below),
        BoundDocument::Above(least) => resolver.now(source, names, least).map(Bound::Above),
        BoundDocument::Between(first, second) => {
            let (least, most) = (resolver.now(source, names, first), resolver.now(source, names, second));
            let (least, most) = (least?, most?);
            if least.value() > most.value() {
                let message = format!("nothing is between {least} and {most}: the smaller number comes first");
                resolver.add(source.finding(&first.text.place, message));
                return None;
            }
            Some(Bound::Between(least, most))
        }
    }
}
