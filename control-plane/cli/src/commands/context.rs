//! `segue context`.

use std::path::PathBuf;

use domain::{
    console::visible,
    error::{Error, ErrorCode},
};
use secrecy::ExposeSecret as _;

use super::authority;
use crate::{
    args::{ContextArguments, ContextCommand},
    client::Client,
    context::{Context, chosen, folder, named},
    error::file,
    render::{self, Screen},
};

pub(super) async fn run(arguments: &ContextArguments, screen: &mut Screen, command: ContextCommand) -> Result<u8, Error> {
    match command {
        ContextCommand::Add { name, file: from } => {
            let context = Context::read(&from)?;
            let path = named(&name)?;
            if let Some(parent) = path.parent() {
                runtime::files::create_private_dir(parent).map_err(|error| file(parent, &error))?;
            }
            context.write(&path)?;
            choose(&name)?;
            screen.note(&format!("Context {name} ({}) is chosen.\n", visible(&context.server)));
        }
        ContextCommand::Use { name } => {
            Context::read(&named(&name)?)?;
            choose(&name)?;
            screen.note(&format!("Context {name} is chosen.\n"));
        }
        ContextCommand::List => list(screen)?,
        ContextCommand::Show { name } => show(arguments, screen, name.as_deref())?,
        ContextCommand::Refresh => refresh(arguments, screen).await?,
    }
    Ok(0)
}

fn choose(name: &str) -> Result<(), Error> {
    let path = folder()?.join("current");
    std::fs::write(&path, name).map_err(|error| file(&path, &error))
}

fn list(screen: &mut Screen) -> Result<(), Error> {
    let folder = folder()?;
    let current = std::fs::read_to_string(folder.join("current")).unwrap_or_default();
    let contexts = folder.join("contexts");
    let entries = std::fs::read_dir(&contexts)
        .map_err(|_| Error::new(ErrorCode::NotFound, "there is no context yet").hint("segue context add NAME --file FILE"))?;
    let mut rows = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let server = Context::read(&path).map_or_else(|error| error.message, |context| context.server);
        rows.push(vec![if name == current.trim() { "*".to_owned() } else { String::new() }, name, server]);
    }
    rows.sort_by(|a, b| a[1].cmp(&b[1]));
    let width = screen.out_look.width;
    screen.data(&render::table(&["", "NAME", "SERVER"], rows, width))
}

async fn refresh(arguments: &ContextArguments, screen: &mut Screen) -> Result<(), Error> {
    let client = Client::new(&Context::of(arguments)?)?;
    let known = authority::show(&client).await?;
    match refresh_file(arguments, &known.bundle)? {
        Some(path) => {
            screen.note(&format!("{} trusts the authorities of now, and no others.\n", visible(&path.display().to_string())))
        }
        None => screen.note("Nothing to do: the context trusts the authorities of now.\n"),
    }
    Ok(())
}

/// Lets the context file in use trust these authorities, which came over a connection that those in it vouched for. Gives the file if
/// it was changed; whatever else stood there is replaced. Without a file, or with authorities from elsewhere, there is nothing to change.
pub(super) fn refresh_file(arguments: &ContextArguments, bundle: &str) -> Result<Option<PathBuf>, Error> {
    if arguments.authorities.is_some() || arguments.server.is_some() {
        return Ok(None);
    }
    let path = file_in_use(arguments, None)?;
    let context = Context::read(&path)?;
    if context.authorities.trim() == bundle.trim() {
        return Ok(None);
    }
    Context { authorities: bundle.to_owned(), ..context }.write(&path)?;
    Ok(Some(path))
}

fn file_in_use(arguments: &ContextArguments, name: Option<&str>) -> Result<PathBuf, Error> {
    match (name, &arguments.context) {
        (None, Some(file)) => Ok(file.clone()),
        (name, _) => chosen(name),
    }
}

fn show(arguments: &ContextArguments, screen: &mut Screen, name: Option<&str>) -> Result<(), Error> {
    let path = file_in_use(arguments, name)?;
    let context = Context::read(&path)?;
    let token = if context.token.expose_secret().is_empty() { "none" } else { "there (not shown)" };
    screen.data(&format!(
        "file         {}\nserver       {}\ntoken        {token}\nauthorities  {}\n",
        visible(&path.display().to_string()),
        visible(&context.server),
        context.authorities.matches("-----BEGIN CERTIFICATE-----").count()
    ))
}
