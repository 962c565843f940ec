//! `segue apply`.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use domain::error::{Error, ErrorCode};
use proto::api;
use serde::Serialize;

use crate::{
    args::{ApplyArguments, Output},
    client::Client,
    error::file,
    render::{self, Look, Screen},
};

#[derive(Serialize)]
struct Applied {
    kind: String,
    application: String,
    name: String,
    change: String,
    generation: u64,
}

pub(super) async fn run(client: &Client, screen: &mut Screen, arguments: ApplyArguments) -> Result<u8, Error> {
    let documents = read_all(&arguments.files)?;
    let request = api::ApplyRequest {
        documents: documents.iter().map(|(file, text)| api::Document { file: file.clone(), text: text.clone() }).collect(),
        dry_run: arguments.dry_run,
    };
    let mut resources = client.resources();
    let answer = client.call(resources.apply(request)).await?;
    if !answer.diagnostics.is_empty() {
        let drawn = arguments.output == Output::Table;
        let text = render::diagnostics(&answer.diagnostics, &documents, if drawn { screen.err_look } else { Look::PLAIN });
        screen.note(&text);
        return Ok(crate::exit::of_code(ErrorCode::Invalid));
    }
    let applied: Vec<Applied> = answer
        .applied
        .into_iter()
        .map(|one| Applied {
            kind: one.kind,
            application: one.application,
            name: one.name,
            change: one.change,
            generation: one.generation,
        })
        .collect();
    let dry = arguments.dry_run;
    render::print(screen, arguments.output, &applied, |_| {
        let line = |one: &Applied| {
            let name = if one.application.is_empty() { one.name.clone() } else { format!("{}/{}", one.application, one.name) };
            format!("{} {} {}{}\n", one.kind, domain::console::visible(&name), one.change, if dry { " (dry run)" } else { "" })
        };
        applied.iter().map(line).collect()
    })?;
    Ok(0)
}

fn read_all(files: &[PathBuf]) -> Result<Vec<(String, String)>, Error> {
    let mut documents = Vec::new();
    for path in files {
        if path == Path::new("-") {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| file(Path::new("standard input"), &error))?;
            documents.push(("-".to_owned(), text));
        } else if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(|error| file(path, &error))?;
            let mut inside: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| is_yaml(path)).collect();
            inside.sort();
            if inside.is_empty() {
                return Err(Error::new(ErrorCode::Invalid, format!("{} holds no .yaml or .yml file", path.display())));
            }
            for path in inside {
                documents.push(read(&path)?);
            }
        } else {
            documents.push(read(path)?);
        }
    }
    Ok(documents)
}

fn is_yaml(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn read(path: &Path) -> Result<(String, String), Error> {
    let text = std::fs::read_to_string(path).map_err(|error| file(path, &error))?;
    Ok((path.display().to_string(), text))
}
