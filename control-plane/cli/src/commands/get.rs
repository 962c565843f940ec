//! `segue get`.

use domain::error::{Error, ErrorCode};
use proto::api;
use serde::Serialize;

use crate::{
    args::{GetArguments, Output},
    client::Client,
    render,
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

pub(super) async fn run(client: &Client, arguments: GetArguments) -> Result<u8, Error> {
    let mut resources = client.resources();
    let kind = arguments.kind.unwrap_or_default();
    let Some(name) = arguments.name else {
        let request = api::ListResourcesRequest { kind, application: arguments.application.unwrap_or_default() };
        let listed = client.call(resources.list(request)).await?.resources;
        let listed: Vec<Resource> = listed.into_iter().map(Resource::from).collect();
        render::print(arguments.output, &listed, || table(&listed))?;
        return Ok(0);
    };
    // An application stands in no application.
    let application = if kind.to_lowercase().starts_with("app") {
        String::new()
    } else {
        client.application(arguments.application).await?
    };
    let one: Resource = client.call(resources.get(api::GetResourceRequest { kind, application, name })).await?.into();
    match arguments.output {
        // The document itself is YAML, and its comments are worth keeping.
        Output::Table | Output::Yaml => print!("{}", printable(&one.text)),
        Output::Json => {
            let json = serde_json::to_string(&one).map_err(|error| Error::new(ErrorCode::Internal, error.to_string()))?;
            println!("{json}");
        }
    }
    Ok(0)
}

fn printable(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", domain::console::visible(line))).collect()
}

fn table(resources: &[Resource]) -> String {
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
    render::table(&["KIND", "APPLICATION", "NAME", "GENERATION", "CHANGED", "BY"], rows)
}
