//! Which command runs, and with what.

use domain::error::Error;

use super::{apply, authority, completion, context, delegate, deploy, deployment, discover, get, rollback, server, version};
use crate::{
    args::{Arguments, Command, ContextArguments},
    client::Client,
    context::Context,
    render::Screen,
};

/// Runs a command; gives its exit status.
///
/// # Errors
/// What the person is to be told, see [`crate::render::error`].
pub async fn run(arguments: Arguments, screen: &mut Screen) -> Result<u8, Error> {
    let context = &arguments.context;
    match arguments.command {
        Command::Server(server) => server::run(server, screen).await,
        Command::Completion { shell } => completion::run(shell, screen),
        Command::Context(command) => context::run(context, screen, command).await,
        Command::Version => version::run(client(context).ok(), screen).await,
        Command::Apply(apply) => apply::run(&client(context)?, screen, apply).await,
        Command::Get(get) => get::run(&client(context)?, screen, get).await,
        Command::Deploy(deploy) => deploy::run(&client(context)?, screen, deploy).await,
        Command::Rollback(rollback) => rollback::run(&client(context)?, screen, rollback).await,
        Command::Deployment(command) => deployment::run(&client(context)?, screen, command).await,
        Command::Delegate(command) => delegate::run(&client(context)?, screen, command).await,
        Command::Authority(command) => authority::run(context, &client(context)?, screen, command).await,
        Command::Discover(command) => discover::run(&client(context)?, screen, command).await,
    }
}

fn client(arguments: &ContextArguments) -> Result<Client, Error> {
    Client::new(&Context::of(arguments)?)
}
