//! Change Route 53 Weights: customers are led to the new version; the old one goes once no resolver can still hold its name.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::{ChangeWeights, Checkpoint, DnsTraffic, OldService, SetupOutput, StepOutput, WeightedRecord, WeightsOutput},
};
use tokio::time::Instant;

use super::{
    super::{
        Step, counts,
        markers::{self, BLUE, GREEN},
        scaling,
        step::setup_of,
    },
    records, undo,
};
use crate::{
    aws::model::Service,
    executor::{Outcome, StepContext},
};

/// How long the new tasks may take to be registered again right before the change; they were at the end of the upgrade.
const REGISTERED_WITHIN: Duration = Duration::from_secs(60);

/// *Change Route 53 Weights*.
pub(in super::super) struct Change<'a> {
    pub(in super::super) input: &'a ChangeWeights,
}

#[async_trait]
impl Step for Change<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        let (console, input) = (context.console(), self.input);
        let (setup, dns) = dns_of(context)?;
        let prefix = &input.identifier_prefix;
        let now = records::ours(context, dns, prefix).await?;
        let wanted = records::wanted(dns, prefix, (input.new_weight, input.old_weight), input.ttl_seconds, &now);
        let (switched_at_ms, switch_ms) = self.switch(context, setup, dns, &now, &wanted).await?;

        console.info("Swapping ECS tags Blue and Green");
        markers::paint(context, &setup.service, &setup.service_arn, BLUE).await?;
        if let Some(old) = &setup.old {
            markers::paint(context, &old.name, &old.arn, GREEN).await?;
        }
        console.info("Downsizing old service if needed");
        match &setup.old {
            Some(old) if input.downsize_old && input.old_weight == 0 => {
                forgotten(context, input.ttl_seconds, switched_at_ms).await?;
                downsize(context, setup, dns, old, prefix).await?;
            }
            Some(old) if input.old_weight > 0 => {
                console.info(format!("Service {} still gets traffic (weight {}): it stays as it is", old.name, input.old_weight));
            }
            Some(old) => console.info(format!("Service {} is not downsized, as the step says", old.name)),
            None => console.info("There is no older service to downsize"),
        }

        // What is handed on is read back, not assumed.
        let shown = records::ours(context, dns, prefix).await?;
        let weight = |new: bool| {
            let identifier = records::identifier_of(prefix, new);
            shown.iter().find(|record| record.set_identifier == identifier).map(|record| record.weight)
        };
        let Some(new_weight) = weight(true).filter(|weight| *weight > 0) else {
            return Err(moved_away(dns, &shown).into());
        };
        Ok(StepOutput::Weights(Box::new(WeightsOutput {
            live_service: setup.service.clone(),
            previous_service: setup.old.as_ref().map(|old| old.name.clone()),
            new_weight,
            old_weight: weight(false),
            switch_ms,
        })))
    }

    async fn undo(&self, context: &StepContext) -> Outcome<()> {
        undo::undo(context, self.input).await
    }
}

impl Change<'_> {
    /// The change, unless an earlier attempt saw it on all name servers and it still stands. Gives when (delegate's clock) and how
    /// long it took.
    async fn switch(
        &self,
        context: &StepContext,
        setup: &SetupOutput,
        dns: &DnsTraffic,
        now: &[WeightedRecord],
        wanted: &[WeightedRecord],
    ) -> Outcome<(i64, u64)> {
        let before = context.checkpoints().iter().find_map(|checkpoint| match checkpoint {
            Checkpoint::TrafficSwitched { at_ms, switch_ms } => Some((*at_ms, *switch_ms)),
            _ => None,
        });
        if let Some(before) = before {
            if records::alike(now, wanted) {
                return Ok(before);
            }
            return Err(moved_away(dns, now).into());
        }
        new_is_registered(context, setup, dns).await?;
        if records::recorded(context).is_none() {
            context.checkpoint(Checkpoint::RecordsRecorded { records: now.to_vec() }).await?;
        }
        let what = if wanted.len() == 1 { "record" } else { "records" };
        context.console().info(format!("Upserting parent record: [{}] with CNAME {what}: {}", dns.alias, records::told(wanted)));
        let started = Instant::now();
        records::set(context, dns, &self.input.identifier_prefix, now, wanted).await?;
        let switched = (context.now_ms(), u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
        context.checkpoint(Checkpoint::TrafficSwitched { at_ms: switched.0, switch_ms: switched.1 }).await?;
        Ok(switched)
    }
}

/// The setup's output and its records, for steps that work on DNS.
///
/// # Errors
/// When no setup stands before this step, or one of load balancers.
pub(super) fn dns_of(context: &StepContext) -> Result<(&SetupOutput, &DnsTraffic), Failure> {
    let setup = setup_of(context)?;
    setup.traffic.dns().map(|dns| (setup, dns)).ok_or_else(|| {
        Failure::refused(
            FailureKind::Application,
            "This step changes DNS records, and the setup before it is one of load balancers.",
        )
        .hint("Use Swap Target Groups in its place.")
    })
}

/// Customers are never led to a name behind which tasks are missing because of us.
pub(super) async fn new_is_registered(context: &StepContext, setup: &SetupOutput, dns: &DnsTraffic) -> Outcome<()> {
    let service = counts::look_at(context, &setup.cluster, &setup.service).await?;
    registered(context, &dns.new.id, &dns.new.name, service.desired.max(1), context.polling().aws_time(REGISTERED_WITHIN)).await
}

/// Waits until so many tasks are registered in a Cloud Map service.
pub(super) async fn registered(context: &StepContext, id: &str, name: &str, count: u32, limit: Duration) -> Outcome<()> {
    let registries = &context.aws()?.registries;
    let mut waiting = context.waiting("tasks registered", limit);
    loop {
        let there = context.read(registries.addresses(id)).await?.len();
        if u32::try_from(there).unwrap_or(u32::MAX) >= count {
            waiting.ended();
            return Ok(());
        }
        if !waiting.again(false).await? {
            let message = format!("{there} of {count} tasks are registered in {name} after {} s.", limit.as_secs());
            return Err(Failure::uncertain(FailureKind::Application, message)
                .hint("ECS registers a task when it runs; see the service's events.")
                .into());
        }
    }
}

/// Waits until no resolver may still answer with a record as it was before: the TTL since the change was on all name servers, the
/// longer of the old one and the new one.
pub(super) async fn forgotten(context: &StepContext, ttl_seconds: u32, switched_at_ms: i64) -> Outcome<()> {
    let before = records::recorded(context).unwrap_or_default();
    let ttl = before.iter().map(|record| record.ttl_seconds).chain([ttl_seconds]).max().unwrap_or(ttl_seconds);
    let passed = Duration::from_millis(u64::try_from(context.now_ms().saturating_sub(switched_at_ms)).unwrap_or(0));
    let rest = Duration::from_secs(u64::from(ttl)).saturating_sub(passed);
    if !rest.is_zero() {
        let seconds = rest.as_secs_f64().ceil();
        context
            .console()
            .info(format!("Waiting: [{seconds}] seconds until no resolver may still answer with the old weights (TTL {ttl} s)"));
        context.pause(rest).await?;
    }
    Ok(())
}

async fn downsize(context: &StepContext, setup: &SetupOutput, dns: &DnsTraffic, old: &OldService, prefix: &str) -> Outcome<()> {
    let console = context.console();
    let now = counts::look(context, &setup.cluster, &[&old.name]).await?.into_iter().find(Service::is_active);
    let Some(now) = now else {
        console.warn(format!("The older service {} does not exist any more: nothing to downsize", old.name));
        return Ok(());
    };
    if now.desired > 0 {
        new_is_registered(context, setup, dns).await?;
        let started = context.checkpoints().iter().any(|checkpoint| matches!(checkpoint, Checkpoint::DownsizeStarted { .. }));
        if !started {
            context.checkpoint(Checkpoint::DownsizeStarted { service: old.name.clone(), from: now.desired }).await?;
        }
    }
    // Read last, right before the old tasks go: whoever led customers back meanwhile needs them.
    let shown = records::ours(context, dns, prefix).await?;
    let led = |new: bool| {
        let identifier = records::identifier_of(prefix, new);
        shown.iter().any(|record| record.set_identifier == identifier && record.weight > 0)
    };
    if !led(true) || led(false) {
        return Err(moved_away(dns, &shown).into());
    }
    scaling::remove(context, &setup.cluster, &old.name).await?;
    console.info(format!("Downsizing Green Service: {}", old.name));
    let service = counts::set_desired(context, &setup.cluster, &old.name, 0).await?;
    console.info("Waiting: [30] seconds for the downsize to complete ECS services to synchronize");
    counts::tasks_gone(context, &setup.cluster, &old.name, service).await?;
    console.info(format!("Service {} is at 0 instances", old.name));
    Ok(())
}

/// A failure for records that somebody changed while the step was at work.
fn moved_away(dns: &DnsTraffic, shown: &[WeightedRecord]) -> Failure {
    let message = format!("The records of {} were changed since this step set them: {}.", dns.alias, records::told(shown));
    Failure::uncertain(FailureKind::Application, message)
        .hint("Another tool or person changed them. The old service was left running.")
}
