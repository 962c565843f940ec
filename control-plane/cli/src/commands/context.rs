//! `segue context`.

use domain::error::{Error, ErrorCode};

use crate::{
    args::ContextCommand,
    context::{Context, folder, named},
    error::file,
    render,
};

pub(super) fn run(command: ContextCommand) -> Result<u8, Error> {
    match command {
        ContextCommand::Add { name, file: from } => {
            let context = Context::read(&from)?;
            let path = named(&name)?;
            if let Some(parent) = path.parent() {
                runtime::files::create_private_dir(parent).map_err(|error| file(parent, &error))?;
            }
            context.write(&path)?;
            choose(&name)?;
            println!("Context {name} ({}) is chosen.", context.server);
        }
        ContextCommand::Use { name } => {
            Context::read(&named(&name)?)?;
            choose(&name)?;
            println!("Context {name} is chosen.");
        }
        ContextCommand::List => list()?,
    }
    Ok(0)
}

fn choose(name: &str) -> Result<(), Error> {
    let path = folder()?.join("current");
    std::fs::write(&path, name).map_err(|error| file(&path, &error))
}

fn list() -> Result<(), Error> {
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
    rows.sort();
    print!("{}", render::table(&["", "NAME", "SERVER"], rows));
    Ok(())
}
