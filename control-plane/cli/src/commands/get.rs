//! `segue get`.

use domain::error::Error;
use proto::api;
use serde::Serialize;

use crate::{
    args::{GetArguments, Output},
    client::Client,
    render::{self, Screen},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    kind: String,
    application: String,
    name: String,
    generation: u64,
    changed_at_ms: i64,
    changed_by: String,
    text: String,
}

impl From<api::Resource> for Resource {
    fn from(wire: api::Resource) -> Self {
        Self {
            kind: wire.kind,
            application: wire.application,
            name: wire.name,
            generation: wire.generation,
            changed_at_ms: wire.changed_at_ms,
            changed_by: wire.changed_by,
            text: wire.text,
        }
    }
}

pub(super) async fn run(client: &Client, screen: &mut Screen, arguments: GetArguments) -> Result<u8, Error> {
    let kind = arguments.kind.unwrap_or_default();
    let Some(name) = arguments.name else {
        let request = api::ListResourcesRequest { kind, application: arguments.application.unwrap_or_default() };
        let listed = client.read(|client| {
            let request = request.clone();
            async move { client.resources().list(request).await }
        });
        let listed = listed.await?.resources;
        let listed: Vec<Resource> = listed.into_iter().map(Resource::from).collect();
        render::print(screen, arguments.output, &listed, |look| table(&listed, look.width))?;
        return Ok(0);
    };
    // An application stands in no application.
    let application =
        if kind.to_lowercase().starts_with("app") { String::new() } else { client.application(arguments.application).await? };
    let request = api::GetResourceRequest { kind, application, name };
    let one = client.read(|client| {
        let request = request.clone();
        async move { client.resources().get(request).await }
    });
    let one: Resource = one.await?.into();
    match arguments.output {
        // The document itself is YAML, and its comments are worth keeping.
        Output::Table | Output::Yaml => screen.data(&printable(&one.text))?,
        Output::Json => render::print(screen, Output::Json, &one, |_| String::new())?,
    }
    Ok(0)
}

fn printable(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", domain::console::visible(line))).collect()
}

fn table(resources: &[Resource], width: Option<u16>) -> String {
    if resources.is_empty() {
        return "Nothing is kept yet.\n\nApply documents: segue apply -f DIR\n".to_owned();
    }
    let rows = resources.iter().map(|resource| {
        vec![
            resource.kind.clone(),
            resource.application.clone(),
            resource.name.clone(),
            resource.generation.to_string(),
            render::time(resource.changed_at_ms),
            resource.changed_by.clone(),
        ]
    });
    render::table(&["KIND", "APPLICATION", "NAME", "GENERATION", "CHANGED", "BY"], rows, width)
}
