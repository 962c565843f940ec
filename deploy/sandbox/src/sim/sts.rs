//! The token service: who is asking, and temporary credentials of a role.

use std::collections::HashMap;

use rand::Rng as _;
use winterbaume_sts::{model as wire, wire as codec};

use super::{
    context::Context,
    credentials::{Credential, Credentials},
    error::ApiError,
    reply::{Reply, reply},
};

/// Answers one operation.
///
/// # Errors
/// AWS's refusal.
pub fn handle(
    operation: &str,
    params: &HashMap<String, String>,
    caller: &Credential,
    credentials: &mut Credentials,
    context: &mut Context<'_>,
) -> Reply {
    match operation {
        "GetCallerIdentity" => {
            let output = wire::GetCallerIdentityResponse {
                account: Some(caller.account.clone()),
                arn: Some(caller.arn.clone()),
                user_id: Some(caller.access_key.clone()),
            };
            reply(&output)
        }
        "AssumeRole" => assume(params, credentials, context),
        other => Err(ApiError::new("InvalidAction", format!("the simulator does not know sts:{other}"))),
    }
}

fn assume(params: &HashMap<String, String>, credentials: &mut Credentials, context: &mut Context<'_>) -> Reply {
    let invalid = |text: String| ApiError::new("ValidationError", text);
    let input = codec::deserialize_assume_role_request(params).map_err(invalid)?;
    let parts: Vec<&str> = input.role_arn.splitn(6, ':').collect();
    let (account, role) = match parts.as_slice() {
        ["arn", "aws", "iam", "", account, resource] if account.len() == 12 => {
            let role = resource.strip_prefix("role/").map(|path| path.rsplit('/').next().unwrap_or(path));
            ((*account).to_owned(), role.ok_or_else(|| invalid(format!("{} is invalid", input.role_arn)))?.to_owned())
        }
        _ => return Err(invalid(format!("{} is invalid", input.role_arn))),
    };
    let session = &input.role_session_name;
    let named =
        session.len() >= 2 && session.len() <= 64 && session.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    if !named {
        let text = format!(
            "1 validation error detected: Value '{session}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [\\w+=,.@-]*"
        );
        return Err(invalid(text));
    }
    let seconds = input.duration_seconds.unwrap_or(3_600);
    if !(900..=43_200).contains(&seconds) {
        return Err(invalid("DurationSeconds must be between 900 and 43200".to_owned()));
    }
    let access_key = format!("ASIA{}", context.hex(16).to_uppercase());
    let role_id = format!("AROA{}", context.hex(16).to_uppercase());
    let arn = format!("arn:aws:sts::{account}:assumed-role/{role}/{}", input.role_session_name);
    let secret: u128 = context.random.random();
    let token: u128 = context.random.random();
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(i64::from(seconds));
    let credential = Credential {
        access_key: access_key.clone(),
        secret_key: format!("{secret:032x}{:08x}", u32::from(context.random.random::<u16>())),
        session_token: Some(format!("sandbox-session-{token:032x}")),
        account,
        arn: arn.clone(),
        expires: Some(expires),
    };
    let output = wire::AssumeRoleResponse {
        assumed_role_user: Some(wire::AssumedRoleUser {
            arn: Some(arn),
            assumed_role_id: Some(format!("{role_id}:{}", input.role_session_name)),
        }),
        credentials: Some(wire::Credentials {
            access_key_id: Some(access_key),
            secret_access_key: Some(credential.secret_key.clone()),
            session_token: credential.session_token.clone(),
            expiration: Some(expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        }),
        packed_policy_size: Some(0),
        source_identity: input.source_identity,
    };
    credentials.add(credential);
    reply(&output)
}
