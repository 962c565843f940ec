//! Scaling activities, told newest first.

use serde_json::json;

use super::api::{Answer, DIMENSION, Input, namespace, page, text};
use crate::sim::context::Context;

pub(super) fn describe(input: &Input, context: &mut Context<'_>) -> Answer {
    namespace(input)?;
    let wanted = text(input, "ResourceId");
    let found = context.autoscaling.activities.iter().filter(|activity| wanted.is_none_or(|wanted| activity.resource == wanted));
    let all = found.map(|activity| {
        json!({
            "ActivityId": activity.id, "ServiceNamespace": "ecs", "ResourceId": activity.resource, "ScalableDimension": DIMENSION,
            "Description": activity.description, "Cause": activity.cause, "StartTime": activity.at, "EndTime": activity.at,
            "StatusCode": "Successful", "StatusMessage": activity.message,
        })
    });
    page(input, all.collect(), "ScalingActivities")
}
