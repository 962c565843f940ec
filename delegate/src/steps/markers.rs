//! The tags by which services tell who they are.

use std::collections::BTreeMap;

use domain::{
    failure::{Failure, FailureKind},
    ids::DeploymentId,
};
use serde_json::{Value, json};

use crate::{
    aws::{budget::Operation, model::Service},
    executor::{Halt, Outcome, Repeat, StepContext},
};

/// Says of a service whether it is live: [`BLUE`] or [`GREEN`].
pub(super) const BG_VERSION: &str = "BG_VERSION";
/// Serves production.
pub(super) const BLUE: &str = "BLUE";
/// Does not.
pub(super) const GREEN: &str = "GREEN";
/// Which deployment made it.
pub(super) const DEPLOYMENT: &str = "segue:deployment";

/// Whether these tags say that the deployment made what bears them.
pub(super) fn made_by(tags: &BTreeMap<String, String>, deployment: DeploymentId) -> bool {
    tags.get(DEPLOYMENT).is_some_and(|made_by| *made_by == deployment.to_string())
}

/// What a service's tag says it is.
pub(super) fn colour(service: &Service) -> Option<&str> {
    service.tags.get(BG_VERSION).map(String::as_str)
}

/// The user's list of tags with ours: ours win, everything else stays.
pub(super) fn merged(users: Option<&Value>, ours: &[(&str, &str)]) -> Value {
    let mut tags: Vec<Value> = users
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|tag| !ours.iter().any(|(key, _)| tag["key"] == *key))
        .cloned()
        .collect();
    tags.extend(ours.iter().map(|(key, value)| json!({"key": key, "value": value})));
    Value::Array(tags)
}

/// Sets a service's colour, reads it back, and says so in the words of the reference. Changes nothing if it is so already.
pub(super) async fn paint(context: &StepContext, name: &str, arn: &str, colour: &str) -> Outcome<()> {
    let ecs = &context.aws()?.ecs;
    if context.read(ecs.tags(arn)).await?.get(BG_VERSION).is_some_and(|has| has == colour) {
        context.console().info(format!("Updating service: [{name}] with tag: [{BG_VERSION}:{colour}]"));
        context.console().info("Tag update successful");
        return Ok(());
    }
    paint_back(context, name, arn, colour).await
}

/// The same when it is taken back: written whatever is shown now, as a reader may be shown a tag that was before, or not yet a
/// service that was created a moment ago.
pub(super) async fn paint_back(context: &StepContext, name: &str, arn: &str, colour: &str) -> Outcome<()> {
    let console = context.console();
    let ecs = &context.aws()?.ecs;
    console.info(format!("Updating service: [{name}] with tag: [{BG_VERSION}:{colour}]"));
    let tags = BTreeMap::from([(BG_VERSION.to_owned(), colour.to_owned())]);
    context.write(Operation::ChangeTags, Repeat::Harmless, || ecs.tag(arn, &tags)).await?;
    let wanted = Some(colour.to_owned());
    read_back(context, arn, &wanted).await?;
    console.info("Tag update successful");
    Ok(())
}

/// Takes a service's colour away, as it had none before, whatever is shown now.
pub(super) async fn unpaint(context: &StepContext, name: &str, arn: &str) -> Outcome<()> {
    let ecs = &context.aws()?.ecs;
    context.console().info(format!("Removing tag {BG_VERSION} from service: [{name}]"));
    let keys = [BG_VERSION.to_owned()];
    context.write(Operation::ChangeTags, Repeat::Harmless, || ecs.untag(arn, &keys)).await?;
    read_back(context, arn, &None).await
}

/// AWS may show an old tag for a moment after it took the new one.
async fn read_back(context: &StepContext, arn: &str, wanted: &Option<String>) -> Outcome<()> {
    let ecs = &context.aws()?.ecs;
    let mut waiting = context.waiting("read back a tag", std::time::Duration::from_secs(30));
    loop {
        let found = match context.read(ecs.tags(arn)).await {
            Ok(tags) => tags.get(BG_VERSION).cloned(),
            // What was tagged exists; a reader may not be shown a service yet that was created a moment ago.
            Err(Halt::Failed(failure)) if failure.kind == FailureKind::Application => {
                if waiting.again(false).await? {
                    continue;
                }
                return Err(failure.into());
            }
            Err(halt) => return Err(halt),
        };
        if found == *wanted {
            return Ok(());
        }
        if !waiting.again(false).await? {
            let said = |tag: &Option<String>| tag.clone().unwrap_or_else(|| "no value".into());
            return Err(Failure::uncertain(
                FailureKind::Application,
                format!("AWS took the tag {BG_VERSION}:{} on {arn} but goes on showing {}.", said(wanted), said(&found)),
            )
            .hint("Something else may be setting this tag.")
            .into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_tags_stay_and_never_replace_ours() {
        let users = json!([{"key": "team", "value": "shop"}, {"key": "BG_VERSION", "value": "BLUE"}]);
        assert_eq!(
            merged(Some(&users), &[(BG_VERSION, GREEN), (DEPLOYMENT, "dep_1")]),
            json!([
                {"key": "team", "value": "shop"},
                {"key": "BG_VERSION", "value": "GREEN"},
                {"key": "segue:deployment", "value": "dep_1"},
            ])
        );
        assert_eq!(merged(None, &[(BG_VERSION, GREEN)]), json!([{"key": "BG_VERSION", "value": "GREEN"}]));
    }
}
