//! Whether customers are led to the new version: asked before its tasks are taken away.

use domain::{
    failure::{Failure, FailureKind},
    step::{DnsTraffic, SetupOutput},
};

use super::records::leads_to;
use crate::executor::{Outcome, StepContext};

/// Refuses to take the new version down while a record leads to it.
pub(in super::super) async fn refuse_if_new_is_live(context: &StepContext, setup: &SetupOutput, dns: &DnsTraffic) -> Outcome<()> {
    let found = context.read(context.aws()?.records.record_sets(&dns.zone, &dns.alias)).await?;
    if !found.iter().any(|record| record.weight != Some(0) && leads_to(record, &dns.new)) {
        return Ok(());
    }
    let message = format!(
        "The records of {} lead to {}, where {} is registered, so its tasks are not taken away.",
        dns.alias, dns.new.name, setup.service
    );
    let hint = "The change of weights was not undone. Give that record weight 0, then run the rollback again.";
    Err(Failure::refused(FailureKind::Application, message).hint(hint).into())
}
