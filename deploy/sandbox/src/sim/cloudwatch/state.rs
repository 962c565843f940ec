//! What CloudWatch remembers in one account and region, and its look at alarms.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    alarm::Alarm,
    series::{Metric, Numbers, Series},
    vended,
};
use crate::sim::{context::Context, dataplane::Tallies};

/// AWS's seconds between two looks at alarms, and between two numbers of a metric that is not counted but measured.
pub(super) const LOOK: f64 = 10.0;

/// One account and region.
#[derive(Debug, Default)]
pub struct CloudWatch {
    /// Metrics.
    pub metrics: BTreeMap<Metric, Series>,
    /// Alarms by name.
    pub alarms: BTreeMap<String, Alarm>,
    /// Tags of alarms, by ARN.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
    /// When alarms were last looked at, in AWS's time.
    looked: f64,
}

impl CloudWatch {
    /// Alarms, without their states.
    pub fn shapes(&self) -> Value {
        let shape = |alarm: &Alarm| {
            json!({
                "metric": [alarm.metric.namespace, alarm.metric.name], "dimensions": alarm.metric.dimensions,
                "statistic": alarm.statistic, "period": alarm.period, "periods": alarm.periods, "needed": alarm.needed,
                "threshold": alarm.threshold, "comparison": alarm.comparison.as_str(), "missing": alarm.missing.as_str(),
                "actions": alarm.actions, "actionsEnabled": alarm.actions_enabled,
            })
        };
        self.alarms.iter().map(|(name, alarm)| (name.clone(), shape(alarm))).collect::<Map<_, _>>().into()
    }

    /// Adds numbers to a metric.
    pub fn add(&mut self, metric: Metric, now: f64, wall: f64, numbers: Numbers) {
        self.metrics.entry(metric).or_default().add(now, wall, numbers);
    }
}

/// One look: what the data plane counted since the last one becomes metrics, and alarms come to their states.
pub fn tick(context: &mut Context<'_>, tallies: &Tallies) {
    vended::counted(context, tallies);
    let now = context.clock.now();
    let since = now - context.cloudwatch.looked;
    if since < LOOK {
        return;
    }
    context.cloudwatch.looked = now;
    vended::measured(context, since);
    let wall = context.clock.epoch();
    let CloudWatch { metrics, alarms, .. } = &mut *context.cloudwatch;
    for alarm in alarms.values_mut() {
        alarm.evaluate(metrics.get(&alarm.metric), now, wall);
    }
}
