//! `segue delegate`.

use domain::error::{Error, ErrorCode};
use proto::api;

use super::{confirm::confirm, token};
use crate::{
    args::DelegateCommand,
    client::Client,
    render::{self, Delegate, Explained, Screen},
};

pub(super) async fn run(client: &Client, screen: &mut Screen, command: DelegateCommand) -> Result<u8, Error> {
    match command {
        DelegateCommand::List { all, output } => {
            let mut listed = list(client).await?;
            listed.retain(|delegate| all || delegate.revoked_at_ms == 0);
            render::print(screen, output, &listed, |look| render::delegates(&listed, look))?;
        }
        DelegateCommand::Show { delegate, output } => {
            let shown = called(list(client).await?, &delegate)?;
            render::print(screen, output, &shown, |_| render::delegate(&shown))?;
        }
        DelegateCommand::Why { deployment, output } => {
            let request = api::WhyRequest { deployment_id: deployment };
            let explained = client.read(|client| {
                let request = request.clone();
                async move { client.delegates().why(request).await }
            });
            let explained = Explained::from(explained.await?);
            render::print(screen, output, &explained, |look| render::explained(&explained, look))?;
        }
        DelegateCommand::Drain { delegate } => {
            let asked = client.call(client.delegates().drain(api::DrainDelegateRequest { delegate })).await?;
            screen.note(&format!(
                "{} was asked to leave: it takes no new tasks and hands over the {} it has.\n",
                render::called(&asked.name, &asked.id),
                asked.tasks.len()
            ));
        }
        DelegateCommand::Revoke { delegate, yes } => {
            // By its id from here on: a name may come to mean another delegate.
            let found = called(list(client).await?, &delegate)?;
            if !yes {
                screen.note(&render::delegate(&found));
                confirm(screen, "Trust it no longer?")?;
            }
            let revoked = client.call(client.delegates().revoke(api::RevokeDelegateRequest { delegate: found.id })).await?;
            screen.note(&format!(
                "{} is no longer trusted. Tasks that it held go on elsewhere when its lease has ended.\n",
                render::called(&revoked.name, &revoked.id)
            ));
        }
        DelegateCommand::Token(command) => return token::run(client, screen, command).await,
    }
    Ok(0)
}

async fn list(client: &Client) -> Result<Vec<Delegate>, Error> {
    let listed = client.read(|client| async move { client.delegates().list(api::ListDelegatesRequest {}).await }).await?;
    Ok(listed.delegates.into_iter().map(Delegate::from).collect())
}

/// The one with that id, or the only one of that name that was not revoked.
fn called(delegates: Vec<Delegate>, name: &str) -> Result<Delegate, Error> {
    let mut found: Vec<Delegate> = delegates
        .into_iter()
        .filter(|delegate| delegate.id == name || (delegate.name == name && delegate.revoked_at_ms == 0))
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => {
            Err(Error::new(ErrorCode::NotFound, format!("there is no delegate {name:?}"))
                .hint("all of them: segue delegate list"))
        }
        (Some(last), false) => {
            let ids: Vec<_> = found.iter().chain([&last]).map(|delegate| delegate.id.as_str()).collect();
            let message = format!("several delegates are called {name:?}: {}", ids.join(", "));
            Err(Error::new(ErrorCode::Invalid, message).hint("name it by its id"))
        }
    }
}
