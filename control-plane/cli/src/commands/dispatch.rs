//! Which command runs, and with what.

use domain::error::Error;

use super::{apply, completion, context, delegate, deploy, deployment, discover, get, server, version};
use crate::{
    args::{Arguments, Command, ContextArguments},
    client::Client,
    context::{Context, chosen},
};

/// Runs a command; gives its exit status.
///
/// # Errors
/// What goes to standard error.
pub async fn run(arguments: Arguments) -> Result<u8, Error> {
    let context = &arguments.context;
    match arguments.command {
        Command::Server(server) => server::run(server).await,
        Command::Completion { shell } => completion::run(shell),
        Command::Context(command) => context::run(command),
        Command::Version => version::run(client(context).ok()).await,
        Command::Apply(apply) => apply::run(&client(context)?, apply).await,
        Command::Get(get) => get::run(&client(context)?, get).await,
        Command::Deploy(deploy) => deploy::run(&client(context)?, deploy).await,
        Command::Deployment(command) => deployment::run(&client(context)?, command).await,
        Command::Delegate(command) => delegate::run(&client(context)?, command).await,
        Command::Discover(command) => discover::run(&client(context)?, command).await,
    }
}

fn client(arguments: &ContextArguments) -> Result<Client, Error> {
    let path = match &arguments.context {
        Some(path) => path.clone(),
        None => chosen(None)?,
    };
    Client::new(&Context::read(&path)?)
}
