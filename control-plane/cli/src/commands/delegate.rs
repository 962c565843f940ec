//! `segue delegate`.

use domain::error::Error;
use proto::api;
use serde::Serialize;

use crate::{
    args::{DelegateCommand, TokenCommand},
    client::Client,
    render::{self, Delegate, Screen},
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

pub(super) async fn run(client: &Client, screen: &mut Screen, command: DelegateCommand) -> Result<u8, Error> {
    match command {
        DelegateCommand::List { output } => {
            let listed =
                client.read(|client| async move { client.delegates().list(api::ListDelegatesRequest {}).await }).await?.delegates;
            let listed: Vec<Delegate> = listed.into_iter().map(Delegate::from).collect();
            render::print(screen, output, &listed, |look| render::delegates(&listed, look))?;
        }
        DelegateCommand::Token(TokenCommand::Create { ttl, output }) => {
            let mut delegates = client.delegates();
            let created = client.call(delegates.create_join_token(api::CreateJoinTokenRequest { ttl_seconds: ttl })).await?;
            let token = JoinToken {
                token: created.token,
                token_id: created.token_id,
                expires_at_ms: created.expires_at_ms,
                gateway: created.gateway,
                authorities: created.authorities,
            };
            render::print(screen, output, &token, |_| guide(&token))?;
        }
    }
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
