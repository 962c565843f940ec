//! `segue delegate token`.

use domain::error::Error;
use proto::api;
use serde::Serialize;

use crate::{
    args::TokenCommand,
    client::Client,
    render::{self, Screen},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinToken {
    token: String,
    token_id: String,
    expires_at_ms: i64,
    gateway: String,
    authorities: String,
}

pub(super) async fn run(client: &Client, screen: &mut Screen, command: TokenCommand) -> Result<u8, Error> {
    let TokenCommand::Create { ttl, applications, environments, output } = command;
    let request = api::CreateJoinTokenRequest { ttl_seconds: ttl, applications, environments };
    let created = client.call(client.delegates().create_join_token(request)).await?;
    let token = JoinToken {
        token: created.token,
        token_id: created.token_id,
        expires_at_ms: created.expires_at_ms,
        gateway: created.gateway,
        authorities: created.authorities,
    };
    render::print(screen, output, &token, |_| guide(&token))?;
    Ok(0)
}

/// What to type on the machine in the VPC.
fn guide(token: &JoinToken) -> String {
    format!(
        "One delegate can join with this token, once, until {}.\n\nOn its machine:\n\n  cat > authorities.pem <<'PEM'\n{}PEM\n  \
         SEGUE_JOIN_TOKEN={} segue-delegate --control-plane {} --authorities authorities.pem\n",
        render::time(token.expires_at_ms),
        token.authorities,
        token.token,
        token.gateway
    )
}
