//! `segue authority`.

use domain::error::Error;
use proto::api;

use super::context;
use crate::{
    args::{AuthorityCommand, ContextArguments},
    client::Client,
    render::{self, Authorities, Screen},
};

pub(super) async fn run(
    arguments: &ContextArguments,
    client: &Client,
    screen: &mut Screen,
    command: AuthorityCommand,
) -> Result<u8, Error> {
    let (shown, output) = match command {
        AuthorityCommand::Show { output } => (show(client).await?, output),
        AuthorityCommand::Rotate { force, output } => {
            // The phase that is left is named, so that a call that is repeated does not skip one.
            let phase = show(client).await?.phase;
            let request = api::RotateAuthorityRequest { phase, force };
            let rotated = client.call(client.server().rotate_authority(request)).await?;
            let shown = Authorities::from(rotated);
            // Whoever exchanges the authority is not to be the first one left behind.
            if let Some(path) = context::refresh_file(arguments, &shown.bundle)? {
                screen.note(&format!(
                    "{} trusts these now, and no others.\n",
                    domain::console::visible(&path.display().to_string())
                ));
            }
            (shown, output)
        }
    };
    render::print(screen, output, &shown, |look| render::authorities(&shown, look))?;
    Ok(0)
}

/// The authorities as they are.
pub(super) async fn show(client: &Client) -> Result<Authorities, Error> {
    let shown = client.read(|client| async move { client.server().authorities(api::AuthoritiesRequest {}).await });
    Ok(Authorities::from(shown.await?))
}
