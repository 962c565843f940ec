//! Rollback Route 53 Weights: the old version is brought back and registered first; then the records are exactly as they were, and
//! nothing is taken away before no resolver may still lead to it.

use std::time::Duration;

use domain::step::{ChangeWeights, DnsTraffic, OldService, SetupOutput};

use super::{
    super::{
        counts,
        markers::{self, GREEN},
        scaling,
    },
    records,
    weights::{forgotten, registered},
};
use crate::executor::{Outcome, StepContext};

pub(super) async fn undo(context: &StepContext, input: &ChangeWeights) -> Outcome<()> {
    let console = context.console();
    let setup = context.assignment().setup().and_then(|setup| Some((setup, setup.traffic.dns()?)));
    let (Some((setup, dns)), Some(before)) = (setup, records::recorded(context)) else {
        console.info("The weights were not changed: nothing to undo");
        return Ok(());
    };
    let prefix = &input.identifier_prefix;
    let now = records::ours(context, dns, prefix).await?;
    if let Some(old) = &setup.old {
        bring_back(context, setup, dns, old).await?;
    }
    if !records::alike(&now, before) {
        match before {
            [] => console.info(format!("Deleting the records of [{}], which had none before", dns.alias)),
            before => console.info(format!(
                "Upserting parent record: [{}] with CNAME records as before: {}",
                dns.alias,
                records::told(before)
            )),
        }
        records::set(context, dns, prefix, &now, before).await?;
    }
    if let Some(old) = &setup.old {
        match &old.bg_version {
            Some(colour) => markers::paint_back(context, &old.name, &old.arn, colour).await?,
            None => markers::unpaint(context, &old.name, &old.arn).await?,
        }
    }
    markers::paint_back(context, &setup.service, &setup.service_arn, GREEN).await?;
    console.info("The records are as they were before the change");
    // The new version's tasks are taken away next.
    let ttl = now.iter().map(|record| record.ttl_seconds).max().unwrap_or(0);
    forgotten(context, ttl, context.now_ms()).await
}

/// The old service at its recorded count, and its tasks registered.
pub(super) async fn bring_back(context: &StepContext, setup: &SetupOutput, dns: &DnsTraffic, old: &OldService) -> Outcome<()> {
    let limit = Duration::from_secs(u64::from(setup.steady_state_timeout_minutes) * 60);
    let now = counts::look_at(context, &setup.cluster, &old.name).await?;
    if now.desired < old.desired_count {
        context.console().info(format!(
            "Resize service [{}] from {} to {} instances, as before the change",
            old.name, now.desired, old.desired_count
        ));
        counts::set_desired(context, &setup.cluster, &old.name, old.desired_count).await?;
    }
    counts::tasks_running(context, &setup.cluster, &old.name, old.desired_count, limit).await?;
    scaling::restore(context, setup, old).await?;
    match &dns.old {
        Some(target) => registered(context, &target.id, &target.name, old.desired_count, limit).await,
        None => Ok(()),
    }
}
