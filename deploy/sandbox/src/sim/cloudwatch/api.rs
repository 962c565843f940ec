//! Which operation is answered where.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{alarms, data, put, query, read::Input, tags};
use crate::sim::{context::Context, error::ApiError};

/// An answer; nothing: the operation answers nothing but that it was done.
pub(super) type Answer = Result<Option<Value>, ApiError>;

/// Answers one operation.
///
/// # Errors
/// AWS's refusal.
pub fn handle(operation: &str, input: &Input, context: &mut Context<'_>) -> Answer {
    match operation {
        "PutMetricAlarm" => alarms::put(input, context),
        "DescribeAlarms" => alarms::describe(input, context),
        "DescribeAlarmsForMetric" => alarms::of_metric(input, context),
        "DeleteAlarms" => alarms::delete(input, context),
        "SetAlarmState" => alarms::set_state(input, context),
        "PutMetricData" => put::data(input, context),
        "GetMetricData" => data::get(input, context),
        "GetMetricStatistics" => data::statistics(input, context),
        "ListMetrics" => data::list(input, context),
        "TagResource" => tags::add(input, context),
        "UntagResource" => tags::remove(input, context),
        "ListTagsForResource" => tags::list(input, context),
        other => Err(ApiError::new("InvalidAction", format!("the simulator does not know cloudwatch:{other}"))),
    }
}

/// Answers one operation of the query protocol.
///
/// # Errors
/// AWS's refusal.
pub fn handle_form(operation: &str, form: &HashMap<String, String>, context: &mut Context<'_>) -> Result<Value, ApiError> {
    handle(operation, &query::read(form), context)
        .map(|answer| answer.map_or_else(|| json!({}), |answer| query::written(&answer)))
}
