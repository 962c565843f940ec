//! Alarms: put, told, set, removed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    alarm::{Alarm, AlarmState, Comparison, Missing},
    api::Answer,
    read::{Input, dimensions, flag, invalid, list, metric, missing, number, period, text, texts, whole},
    tags,
};
use crate::sim::{context::Context, error::ApiError};

/// Members that name actions, and the state that each is for.
const ACTIONS: [(&str, AlarmState); 3] = [
    ("OKActions", AlarmState::Ok),
    ("AlarmActions", AlarmState::Alarm),
    ("InsufficientDataActions", AlarmState::InsufficientData),
];

pub(super) fn put(input: &Input, context: &mut Context<'_>) -> Answer {
    let name = text(input, "AlarmName").ok_or_else(|| missing("AlarmName"))?.to_owned();
    for unknown in ["Metrics", "ExtendedStatistic", "ThresholdMetricId", "EvaluationCriteria"] {
        if input.contains_key(unknown) {
            return Err(invalid(format!("Alarms with {unknown} are not known to the simulator")));
        }
    }
    let statistic = text(input, "Statistic").ok_or_else(|| missing("Statistic"))?;
    if super::series::Numbers::one(0.0).statistic(statistic).is_none() {
        return Err(invalid(format!("The statistic '{statistic}' is not one of SampleCount, Average, Sum, Minimum, Maximum")));
    }
    let periods = whole(input, "EvaluationPeriods")?.ok_or_else(|| missing("EvaluationPeriods"))?;
    let needed = whole(input, "DatapointsToAlarm")?;
    if needed.is_some_and(|needed| needed > periods) {
        return Err(invalid("DatapointsToAlarm must be no more than EvaluationPeriods"));
    }
    let operator = text(input, "ComparisonOperator").ok_or_else(|| missing("ComparisonOperator"))?;
    let comparison = Comparison::read(operator);
    let treated = text(input, "TreatMissingData").unwrap_or("missing");
    let known = context.cloudwatch.alarms.get(&name);
    let wall = context.clock.epoch();
    let alarm = Alarm {
        metric: metric(input)?,
        statistic: statistic.to_owned(),
        period: period(input)?,
        periods,
        needed: needed.unwrap_or(periods),
        threshold: number(input.get("Threshold")).ok_or_else(|| missing("Threshold"))?,
        comparison: comparison
            .ok_or_else(|| invalid(format!("The comparison operator '{operator}' is not known to the simulator")))?,
        missing: Missing::read(treated).ok_or_else(|| invalid(format!("'{treated}' is no way to treat missing data")))?,
        description: text(input, "AlarmDescription").map(str::to_owned),
        unit: text(input, "Unit").map(str::to_owned),
        actions_enabled: flag(input, "ActionsEnabled").unwrap_or(true),
        actions: ACTIONS.iter().map(|(member, state)| (state.as_str(), texts(input, member))).collect(),
        needed_given: needed.is_some(),
        // A change leaves the state as it is until the next look.
        state: known.map_or(AlarmState::InsufficientData, |known| known.state),
        reason: known.map_or_else(|| "Unchecked: Initial alarm creation".to_owned(), |known| known.reason.clone()),
        since: known.map_or(wall, |known| known.since),
        updated: wall,
        name: name.clone(),
    };
    let arn = arn(context, &name);
    // Tags of an alarm that is there are changed by TagResource only.
    if known.is_none() {
        let given = tags::read(list(input, "Tags"))?;
        context.cloudwatch.tags.insert(arn, given);
    }
    context.cloudwatch.alarms.insert(name, alarm);
    Ok(None)
}

pub(super) fn describe(input: &Input, context: &mut Context<'_>) -> Answer {
    let names = texts(input, "AlarmNames");
    let prefix = text(input, "AlarmNamePrefix");
    if prefix.is_some() && !names.is_empty() {
        return Err(invalid("AlarmNamePrefix and AlarmNames cannot be specified together"));
    }
    let state = text(input, "StateValue");
    let types = texts(input, "AlarmTypes");
    let metrics = types.is_empty() || types.iter().any(|kind| kind == "MetricAlarm");
    let action = text(input, "ActionPrefix");
    let fits = |alarm: &&Alarm| {
        metrics
            && (names.is_empty() || names.contains(&alarm.name))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && state.is_none_or(|state| alarm.state.as_str() == state)
            && action.is_none_or(|prefix| alarm.actions.values().flatten().any(|action| action.starts_with(prefix)))
    };
    let all: Vec<Value> = context.cloudwatch.alarms.values().filter(fits).map(|alarm| told(context, alarm)).collect();
    let size = whole(input, "MaxRecords")?.unwrap_or(50);
    if size > 100 {
        return Err(invalid("MaxRecords must be between 1 and 100"));
    }
    let start = match text(input, "NextToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| ApiError::new("InvalidNextToken", "The next token is not valid"))?,
    };
    let end = all.len().min(usize::try_from(size).unwrap_or(100).saturating_add(start));
    let mut answer = json!({"MetricAlarms": all.get(start..end).unwrap_or_default(), "CompositeAlarms": []});
    if end < all.len() {
        answer["NextToken"] = end.to_string().into();
    }
    Ok(Some(answer))
}

pub(super) fn of_metric(input: &Input, context: &mut Context<'_>) -> Answer {
    let wanted = metric(input)?;
    let statistic = text(input, "Statistic");
    let period = whole(input, "Period")?;
    let fits = |alarm: &&Alarm| {
        alarm.metric == wanted
            && statistic.is_none_or(|statistic| alarm.statistic == statistic)
            && period.is_none_or(|period| alarm.period == period)
    };
    let found: Vec<Value> = context.cloudwatch.alarms.values().filter(fits).map(|alarm| told(context, alarm)).collect();
    Ok(Some(json!({"MetricAlarms": found})))
}

pub(super) fn delete(input: &Input, context: &mut Context<'_>) -> Answer {
    let names = texts(input, "AlarmNames");
    // All of them or none.
    if let Some(unknown) = names.iter().find(|name| !context.cloudwatch.alarms.contains_key(*name)) {
        return Err(not_found(unknown));
    }
    for name in names {
        let arn = arn(context, &name);
        context.cloudwatch.alarms.remove(&name);
        context.cloudwatch.tags.remove(&arn);
    }
    Ok(None)
}

pub(super) fn set_state(input: &Input, context: &mut Context<'_>) -> Answer {
    let name = text(input, "AlarmName").ok_or_else(|| missing("AlarmName"))?;
    let state = text(input, "StateValue").and_then(AlarmState::read);
    let state = state.ok_or_else(|| invalid("StateValue must be one of OK, ALARM, INSUFFICIENT_DATA"))?;
    let reason = text(input, "StateReason").ok_or_else(|| missing("StateReason"))?;
    if text(input, "StateReasonData").is_some_and(|data| serde_json::from_str::<Value>(data).is_err()) {
        return Err(ApiError::new("InvalidFormat", "StateReasonData is not JSON"));
    }
    let wall = context.clock.epoch();
    let alarm = context.cloudwatch.alarms.get_mut(name).ok_or_else(|| not_found(name))?;
    if alarm.state != state {
        alarm.since = wall;
    }
    // It holds until the next look.
    alarm.state = state;
    alarm.reason = reason.to_owned();
    Ok(None)
}

fn not_found(name: &str) -> ApiError {
    ApiError::new("ResourceNotFound", format!("Unknown alarm: {name}")).status(404)
}

pub(super) fn arn(context: &Context<'_>, name: &str) -> String {
    context.arn("cloudwatch", &format!("alarm:{name}"))
}

/// As AWS describes it.
fn told(context: &Context<'_>, alarm: &Alarm) -> Value {
    let pairs = |dimensions: &BTreeMap<String, String>| -> Vec<Value> {
        dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect()
    };
    let mut told = json!({
        "AlarmName": alarm.name, "AlarmArn": arn(context, &alarm.name), "ActionsEnabled": alarm.actions_enabled,
        "StateValue": alarm.state.as_str(), "StateReason": alarm.reason, "StateUpdatedTimestamp": alarm.since,
        "StateTransitionedTimestamp": alarm.since, "AlarmConfigurationUpdatedTimestamp": alarm.updated,
        "MetricName": alarm.metric.name, "Namespace": alarm.metric.namespace, "Statistic": alarm.statistic,
        "Dimensions": pairs(&alarm.metric.dimensions), "Period": alarm.period, "EvaluationPeriods": alarm.periods,
        "Threshold": alarm.threshold, "ComparisonOperator": alarm.comparison.as_str(),
        "TreatMissingData": alarm.missing.as_str(),
    });
    for (member, state) in ACTIONS {
        told[member] = alarm.actions.get(state.as_str()).cloned().unwrap_or_default().into();
    }
    let optional = [("AlarmDescription", alarm.description.clone()), ("Unit", alarm.unit.clone())];
    for (member, value) in optional {
        if let Some(value) = value {
            told[member] = value.into();
        }
    }
    if alarm.needed_given {
        told["DatapointsToAlarm"] = alarm.needed.into();
    }
    told
}

/// Whether `Dimensions` of a filter are among a metric's.
pub(super) fn among(input: &Input, of: &BTreeMap<String, String>) -> Result<bool, ApiError> {
    if list(input, "Dimensions").iter().any(|dimension| dimension.get("Value").is_none()) {
        let names = list(input, "Dimensions").iter().filter_map(|dimension| dimension.get("Name")?.as_str());
        return Ok(names.into_iter().all(|name| of.contains_key(name)));
    }
    Ok(dimensions(input)?.iter().all(|(name, value)| of.get(name) == Some(value)))
}
