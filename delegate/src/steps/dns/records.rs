//! The alias's weighted records: what they are now, what they are to be, and one change that makes them so.

use std::time::Duration;

use domain::{
    failure::{Failure, FailureKind},
    step::{Checkpoint, DnsTarget, DnsTraffic, WeightedRecord},
};

use crate::{
    aws::{
        budget::Operation,
        model::{RecordChange, RecordSet},
    },
    executor::{Halt, Outcome, Repeat, StepContext},
};

/// How long AWS may take to tell all of its name servers, in its own time; it says 60 s itself.
const IN_SYNC_WITHIN: Duration = Duration::from_secs(600);

/// How long it usually takes (docs: generally within 60 seconds).
const IN_SYNC_USUALLY: Duration = Duration::from_secs(60);

/// Whether a record leads to this target: names end with a dot or not, and case says nothing.
pub(super) fn leads_to(record: &RecordSet, target: &DnsTarget) -> bool {
    record.values.iter().any(|value| same_name(value, &target.name))
}

fn same_name(left: &str, right: &str) -> bool {
    left.trim_end_matches('.').eq_ignore_ascii_case(right.trim_end_matches('.'))
}

/// Our records of the alias as they are now.
///
/// # Errors
/// When somebody else's records stand there: what they would do to a change can't be told.
pub(super) async fn ours(context: &StepContext, dns: &DnsTraffic, prefix: &str) -> Outcome<Vec<WeightedRecord>> {
    let found = context.read(context.aws()?.records.record_sets(&dns.zone, &dns.alias)).await?;
    let mut ours = Vec::new();
    let mut strangers = Vec::new();
    for record in found {
        let known = [Some(&dns.new), dns.old.as_ref()].into_iter().flatten().any(|target| leads_to(&record, target));
        let identifier = record.set_identifier.clone().unwrap_or_default();
        let named = identifier == identifier_of(prefix, true) || identifier == identifier_of(prefix, false);
        match (record.weight, record.ttl_seconds, record.values.first()) {
            (Some(weight), Some(ttl_seconds), Some(value)) if named && known && record.kind == "CNAME" => {
                let (value, health_check) = (value.clone(), record.health_check.clone());
                ours.push(WeightedRecord { set_identifier: identifier, weight, ttl_seconds, value, health_check });
            }
            _ => strangers.push(format!(
                "{} {} to {}",
                record.kind,
                if identifier.is_empty() { "without set identifier" } else { &identifier },
                record.values.join(", ")
            )),
        }
    }
    if strangers.is_empty() {
        return Ok(ours);
    }
    let message = format!(
        "On the alias {} stand records that are not this workflow's: {}. They are left as they are, and nothing was changed.",
        dns.alias,
        strangers.join("; ")
    );
    let hint = format!(
        "Remove them, or give the step the identifierPrefix that they were made with (now: {prefix}, so {} and {}).",
        identifier_of(prefix, true),
        identifier_of(prefix, false)
    );
    Err(Failure::refused(FailureKind::Application, message).hint(hint).into())
}

/// The set identifier of the new version's record, or of the old one's.
pub(super) fn identifier_of(prefix: &str, new: bool) -> String {
    format!("{prefix}-{}", if new { "Blue" } else { "Green" })
}

/// The records with these weights; before a first deployment there is one only. A health check that a record has stays with it.
pub(super) fn wanted(
    dns: &DnsTraffic,
    prefix: &str,
    (new, old): (u8, u8),
    ttl_seconds: u32,
    now: &[WeightedRecord],
) -> Vec<WeightedRecord> {
    let record = |is_new: bool, weight: u8, target: &DnsTarget| {
        let set_identifier = identifier_of(prefix, is_new);
        let before = now.iter().find(|record| record.set_identifier == set_identifier);
        let health_check = before.and_then(|record| record.health_check.clone());
        WeightedRecord { weight, ttl_seconds, value: target.name.clone(), health_check, set_identifier }
    };
    let old = dns.old.as_ref().map(|target| record(false, old, target));
    std::iter::once(record(true, new, &dns.new)).chain(old).collect()
}

/// Whether two lists say the same.
pub(super) fn alike(left: &[WeightedRecord], right: &[WeightedRecord]) -> bool {
    let within = |some: &[WeightedRecord], all: &[WeightedRecord]| {
        some.iter().all(|record| {
            all.iter().any(|other| {
                (&record.set_identifier, record.weight, record.ttl_seconds, &record.health_check)
                    == (&other.set_identifier, other.weight, other.ttl_seconds, &other.health_check)
                    && same_name(&record.value, &other.value)
            })
        })
    };
    left.len() == right.len() && within(left, right)
}

/// The records that an earlier attempt of this step found.
pub(super) fn recorded(context: &StepContext) -> Option<&[WeightedRecord]> {
    context.checkpoints().iter().find_map(|checkpoint| match checkpoint {
        Checkpoint::RecordsRecorded { records } => Some(records.as_slice()),
        _ => None,
    })
}

/// One change: these records and no other of ours, on all of AWS's name servers, and read back.
///
/// Sent even if the records are so already: only a change that we sent can be asked for whether every name server has it.
pub(super) async fn set(
    context: &StepContext,
    dns: &DnsTraffic,
    prefix: &str,
    now: &[WeightedRecord],
    wanted: &[WeightedRecord],
) -> Outcome<()> {
    let api = &context.aws()?.records;
    let gone = now.iter().filter(|record| !wanted.iter().any(|kept| kept.set_identifier == record.set_identifier));
    let changes: Vec<RecordChange> =
        gone.cloned().map(RecordChange::Delete).chain(wanted.iter().cloned().map(RecordChange::Upsert)).collect();
    if changes.is_empty() {
        return Ok(());
    }
    let sent = context.write(Operation::Dns, Repeat::Harmless, || api.change(&dns.zone, &dns.alias, &changes)).await;
    let change = match sent {
        Ok(change) => change,
        // A deletion that is sent twice is refused the second time, since nothing is there to match. The first one happened then,
        // and its id is lost.
        Err(Halt::Failed(failure)) if !alike(&ours(context, dns, prefix).await?, wanted) => return Err(failure.into()),
        Err(Halt::Failed(_)) if wanted.is_empty() => return context.pause(context.polling().aws_time(IN_SYNC_USUALLY)).await,
        Err(Halt::Failed(_)) => {
            let again: Vec<RecordChange> = wanted.iter().cloned().map(RecordChange::Upsert).collect();
            context.write(Operation::Dns, Repeat::Harmless, || api.change(&dns.zone, &dns.alias, &again)).await?
        }
        Err(halt) => return Err(halt),
    };
    let limit = context.polling().aws_time(IN_SYNC_WITHIN);
    let mut waiting = context.waiting("DNS change in sync", limit);
    let mut said = false;
    while !context.read(api.in_sync(&change)).await? {
        if !said {
            context.console().info(format!("Waiting for the change {change} to reach all name servers (INSYNC) ..."));
            said = true;
        }
        if !waiting.again(false).await? {
            let message = format!("The DNS change {change} was not on all name servers after {} s.", limit.as_secs());
            return Err(Failure::uncertain(FailureKind::Timeout, message).into());
        }
    }
    waiting.ended();
    let shown = ours(context, dns, prefix).await?;
    if !alike(&shown, wanted) {
        let message = format!("The records of {} were changed and are different now: {}.", dns.alias, told(&shown));
        let hint = "Another tool or person changes them at the same time.";
        return Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into());
    }
    Ok(())
}

/// The records in the words of the reference: `[service2.ns:100] and [service1.ns:0]`.
pub(super) fn told(records: &[WeightedRecord]) -> String {
    let told: Vec<_> =
        records.iter().map(|record| format!("[{}:{}]", record.value.trim_end_matches('.'), record.weight)).collect();
    if told.is_empty() { "none".to_owned() } else { told.join(" and ") }
}

/// Where the alias's records lead otherwise than where a deployment left them, a sentence each: customers to `new`, none to `old`.
pub(in super::super) fn told_otherwise(dns: &DnsTraffic, found: &[RecordSet]) -> Vec<String> {
    let weight = |target: &DnsTarget| -> u32 {
        let led = found.iter().filter(|record| leads_to(record, target));
        led.map(|record| u32::from(record.weight.unwrap_or(1))).sum()
    };
    let known =
        |record: &&RecordSet| [Some(&dns.new), dns.old.as_ref()].into_iter().flatten().any(|target| leads_to(record, target));
    let mut otherwise = Vec::new();
    if weight(&dns.new) == 0 {
        otherwise.push(format!("No record of {} leads to {} any more: somebody changed them since.", dns.alias, dns.new.name));
    }
    for record in found.iter().filter(|record| !known(record)) {
        otherwise.push(format!("A record of {} leads to {}: somebody changed them since.", dns.alias, record.values.join(", ")));
    }
    otherwise
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(old: bool) -> DnsTraffic {
        let target = |name: &str| DnsTarget {
            id: format!("srv-{name}"),
            arn: format!("arn:srv-{name}"),
            name: format!("{name}.ns"),
            records: Default::default(),
        };
        DnsTraffic {
            zone: "Z1".into(),
            zone_name: "upper.".into(),
            alias: "myapp.upper.".into(),
            new: target("service2"),
            old: old.then(|| target("service1")),
        }
    }

    #[test]
    fn a_first_deployment_has_one_record_and_later_ones_have_two() {
        let first = wanted(&dns(false), "Harness", (100, 0), 60, &[]);
        assert_eq!(told(&first), "[service2.ns:100]");
        let mut checked = first.clone();
        checked[0].health_check = Some("h".into());
        let second = wanted(&dns(true), "Harness", (100, 0), 60, &checked);
        assert_eq!(told(&second), "[service2.ns:100] and [service1.ns:0]");
        assert_eq!(second[0].health_check.as_deref(), Some("h"));
        assert_eq!((second[0].set_identifier.as_str(), second[1].set_identifier.as_str()), ("Harness-Blue", "Harness-Green"));
        assert!(!alike(&first, &second));
    }

    #[test]
    fn a_trailing_dot_makes_no_difference() {
        let without = wanted(&dns(true), "Harness", (90, 10), 60, &[]);
        let mut with = without.clone();
        with.reverse();
        with[0].value = "SERVICE1.ns.".into();
        assert!(alike(&without, &with));
        with[0].weight = 11;
        assert!(!alike(&without, &with));
    }
}
