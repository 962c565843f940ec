//! A share of the traffic by DNS: two weights out of a hundred.

use domain::step::{Checkpoint, DnsTraffic, SetupOutput, ShiftTraffic};

use super::{
    records,
    undo::bring_back,
    weights::{forgotten, new_is_registered},
};
use crate::executor::{Outcome, StepContext};

/// The new version gets its share.
pub(in super::super) async fn share(
    context: &StepContext,
    setup: &SetupOutput,
    dns: &DnsTraffic,
    input: &ShiftTraffic,
) -> Outcome<()> {
    let prefix = &input.identifier_prefix;
    let now = records::ours(context, dns, prefix).await?;
    new_is_registered(context, setup, dns).await?;
    if records::recorded(context).is_none() {
        context.checkpoint(Checkpoint::RecordsRecorded { records: now.clone() }).await?;
    }
    let wanted = records::wanted(dns, prefix, (input.weight, 100 - input.weight), input.ttl_seconds, &now);
    context.console().info(format!("Upserting parent record: [{}] with CNAME records: {}", dns.alias, records::told(&wanted)));
    records::set(context, dns, prefix, &now, &wanted).await
}

/// The old version gets everything back at once.
pub(in super::super) async fn unshare(
    context: &StepContext,
    setup: &SetupOutput,
    dns: &DnsTraffic,
    input: &ShiftTraffic,
) -> Outcome<()> {
    let console = context.console();
    let Some(before) = records::recorded(context) else {
        console.info("The shift was not begun: nothing to undo");
        return Ok(());
    };
    let prefix = &input.identifier_prefix;
    let now = records::ours(context, dns, prefix).await?;
    if let Some(old) = &setup.old {
        bring_back(context, setup, dns, old).await?;
    }
    // As they were; an earlier shift's share is no state to go back to, so the old version has all of it.
    let mut wanted = before.to_vec();
    if let Some(old) = &dns.old {
        for record in &mut wanted {
            let leads_to_old = record.value.trim_end_matches('.').eq_ignore_ascii_case(&old.name);
            record.weight = if leads_to_old { record.weight.max(1) } else { 0 };
        }
    }
    if !records::alike(&now, &wanted) {
        console.info(format!("Upserting parent record: [{}] with CNAME records: {}", dns.alias, records::told(&wanted)));
        records::set(context, dns, prefix, &now, &wanted).await?;
    }
    console.info("The old version gets all of production's traffic");
    let ttl = now.iter().map(|record| record.ttl_seconds).max().unwrap_or(0);
    forgotten(context, ttl, context.now_ms()).await
}
