//! Delegates with AWS keys of their own, so that AWS's journal says which of them did what.

use anyhow::Context;
use aws_sdk_sts::Client;
use sandbox::world::{DelegateOptions, World, aws_config};
use serde_json::Value;

/// Adds a delegate with keys of its own and these options, and says its access key's id.
///
/// # Errors
/// When AWS gives no keys, or the delegate does not join.
pub async fn add_with_own_keys(world: &mut World, number: usize, mut options: DelegateOptions) -> anyhow::Result<String> {
    let sts = Client::new(&aws_config(&world.seed));
    let role = "arn:aws:iam::123456789012:role/segue-delegate";
    let assumed = sts.assume_role().role_arn(role).role_session_name(format!("delegate-{number}")).send().await?;
    let given = assumed.credentials().context("credentials")?;
    let environment = [
        ("AWS_ACCESS_KEY_ID", given.access_key_id()),
        ("AWS_SECRET_ACCESS_KEY", given.secret_access_key()),
        ("AWS_SESSION_TOKEN", given.session_token()),
    ];
    options.environment.extend(environment.map(|(name, value)| (name.to_owned(), value.to_owned())));
    world.add_delegate_with(options).await?;
    Ok(given.access_key_id().to_owned())
}

/// Whether a call of the journal changes something.
pub fn is_write(call: &Value) -> bool {
    let operation = call["operation"].as_str().unwrap_or_default();
    !["Describe", "List", "Get", "AssumeRole"].iter().any(|read| operation.starts_with(read))
}
