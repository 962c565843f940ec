//! Numbers, asked for by dates of the wall.

use serde_json::{Map, Value, json};

use super::{
    alarms::among,
    api::Answer,
    read::{Input, flag, invalid, list as listed, metric, missing, period, text, texts, time, wrong},
    series::{Metric, Numbers},
};
use crate::sim::{context::Context, error::ApiError};

/// AWS's limits: queries of a request, and datapoints of one answer of `GetMetricStatistics`.
const MOST_QUERIES: usize = 500;
const MOST_POINTS: f64 = 1_440.0;
/// Metrics of a page of `ListMetrics`.
const PAGE: usize = 500;

pub(super) fn get(input: &Input, context: &mut Context<'_>) -> Answer {
    let (from, to) = range(input).map_err(|error| ApiError { code: "ValidationError".to_owned(), ..error })?;
    let queries = listed(input, "MetricDataQueries");
    if queries.is_empty() || queries.len() > MOST_QUERIES {
        return Err(invalid("MetricDataQueries must have between 1 and 500 members"));
    }
    let ascending = match text(input, "ScanBy") {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(other) => return Err(invalid(format!("ScanBy '{other}' is neither TimestampDescending nor TimestampAscending"))),
    };
    let mut results = Vec::new();
    for (index, query) in queries.iter().enumerate() {
        let query = query.as_object().ok_or_else(|| invalid("A query must have members"))?;
        let id = text(query, "Id").filter(|id| id.starts_with(|c: char| c.is_ascii_lowercase()));
        let id = id.ok_or_else(|| invalid("The Id of a query must begin with a lowercase letter"))?;
        if queries[..index].iter().any(|other| other.get("Id").and_then(Value::as_str) == Some(id)) {
            return Err(invalid(format!("The Id '{id}' is not unique within the request")));
        }
        let Some(stat) = query.get("MetricStat").and_then(Value::as_object) else {
            return Err(invalid("Expressions are not known to the simulator: a query needs a MetricStat"));
        };
        let named = stat.get("Metric").and_then(Value::as_object).map_or_else(Map::new, Clone::clone);
        let metric = metric(&named).map_err(|error| invalid(error.message))?;
        let statistic = text(stat, "Stat").ok_or_else(|| invalid("A MetricStat needs a Stat"))?;
        let period = period(stat).map_err(|error| invalid(error.message))?;
        let mut points = points(context, &metric, statistic, (from, to), period)?;
        if !ascending {
            points.reverse();
        }
        if flag(query, "ReturnData") == Some(false) {
            continue;
        }
        let (times, values): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        results.push(json!({
            "Id": id, "Label": text(query, "Label").unwrap_or(&metric.name), "Timestamps": times, "Values": values,
            "StatusCode": "Complete",
        }));
    }
    Ok(Some(json!({"MetricDataResults": results, "Messages": []})))
}

fn points(
    context: &Context<'_>,
    metric: &Metric,
    statistic: &str,
    (from, to): (f64, f64),
    period: u32,
) -> Result<Vec<(f64, f64)>, ApiError> {
    if Numbers::one(0.0).statistic(statistic).is_none() {
        return Err(invalid(format!("The statistic '{statistic}' is not one of SampleCount, Average, Sum, Minimum, Maximum")));
    }
    let periods = context.cloudwatch.metrics.get(metric).map(|series| series.periods(from, to, period)).unwrap_or_default();
    Ok(periods.into_iter().filter_map(|(at, numbers)| Some((at, numbers.statistic(statistic)?))).collect())
}

pub(super) fn statistics(input: &Input, context: &mut Context<'_>) -> Answer {
    let (from, to) = range(input)?;
    let metric = metric(input)?;
    let period = period(input)?;
    let wanted = texts(input, "Statistics");
    if wanted.is_empty() {
        return Err(missing("Statistics"));
    }
    if wanted.iter().any(|name| Numbers::one(0.0).statistic(name).is_none()) {
        return Err(wrong("Statistics", "they are SampleCount, Average, Sum, Minimum, Maximum"));
    }
    let asked = ((to - from) / f64::from(period)).ceil();
    if asked > MOST_POINTS {
        let text = format!("You have requested up to {asked} datapoints, which exceeds the limit of {MOST_POINTS}.");
        return Err(ApiError::new("InvalidParameterCombination", text));
    }
    let series = context.cloudwatch.metrics.get(&metric);
    let unit = series.and_then(|series| series.unit.clone()).unwrap_or_else(|| default_unit(&metric).to_owned());
    let periods = series.map(|series| series.periods(from, to, period)).unwrap_or_default();
    let points = periods.into_iter().map(|(at, numbers)| {
        let mut point = Map::from_iter([("Timestamp".to_owned(), Value::from(at)), ("Unit".to_owned(), unit.as_str().into())]);
        point.extend(wanted.iter().filter_map(|name| Some((name.clone(), numbers.statistic(name)?.into()))));
        Value::Object(point)
    });
    Ok(Some(json!({"Label": metric.name, "Datapoints": points.collect::<Vec<_>>()})))
}

pub(super) fn list(input: &Input, context: &mut Context<'_>) -> Answer {
    let (namespace, name) = (text(input, "Namespace"), text(input, "MetricName"));
    let mut found = Vec::new();
    for metric in context.cloudwatch.metrics.keys() {
        let named = namespace.is_none_or(|wanted| metric.namespace == wanted) && name.is_none_or(|wanted| metric.name == wanted);
        if named && among(input, &metric.dimensions)? {
            let dimensions: Vec<Value> =
                metric.dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
            found.push(json!({"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}));
        }
    }
    let start: usize = match text(input, "NextToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| wrong("NextToken", "it is none that was given"))?,
    };
    let end = found.len().min(start.saturating_add(PAGE));
    let mut answer = json!({"Metrics": found.get(start..end).unwrap_or_default()});
    if end < found.len() {
        answer["NextToken"] = end.to_string().into();
    }
    Ok(Some(answer))
}

fn range(input: &Input) -> Result<(f64, f64), ApiError> {
    let given = |name: &str| time(input.get(name)).ok_or_else(|| missing(name));
    let (from, to) = (given("StartTime")?, given("EndTime")?);
    if from >= to {
        let text = "The parameter StartTime must be less than the parameter EndTime.";
        return Err(ApiError::new("InvalidParameterValue", text));
    }
    Ok((from, to))
}

/// The unit of what nobody gave a unit.
fn default_unit(metric: &Metric) -> &'static str {
    match (metric.namespace.as_str(), metric.name.as_str()) {
        ("AWS/ECS", _) => "Percent",
        (_, "TargetResponseTime") => "Seconds",
        ("AWS/ApplicationELB" | "AWS/NetworkELB", _) => "Count",
        _ => "None",
    }
}
