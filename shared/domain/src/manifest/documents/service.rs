//! Service: what is deployed.

use super::variables::{Variables, variables};
use crate::{
    expression,
    manifest::{
        ecs::EcsDocument,
        ecs_checks,
        fields::Element,
        parse::description,
        template::{Template, Written},
        written::Image,
    },
};

/// What a service says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The image without its tag, or with `${artifact.tag}` in it.
    pub image: Template<Image>,
    /// The task definition: what `aws ecs register-task-definition --cli-input-json` takes.
    pub task_definition: EcsDocument,
    /// The service definition: what `create-service` takes.
    pub service_definition: Option<EcsDocument>,
    /// Variables, for `${service.variables.X}`.
    pub variables: Variables,
    /// Words for people.
    pub description: Option<String>,
}

impl Service {
    pub(in crate::manifest) fn read(spec: &Element<'_>) -> Option<Self> {
        let fields = spec.mapping(&["image", "taskDefinition", "serviceDefinition", "variables", "description"])?;
        let image = fields.template::<Image>("image");
        if let Some(image) = &image {
            check_join(image, spec);
        }
        let task_definition = fields.required("taskDefinition").and_then(|element| EcsDocument::read(&element));
        if let Some(document) = &task_definition {
            ecs_checks::task_definition(document, spec.findings());
        }
        let service_definition = fields.optional("serviceDefinition").and_then(|element| EcsDocument::read(&element));
        let variables = variables(fields.optional("variables"));
        let description = description(&fields);
        Some(Self { image: image?, task_definition: task_definition?, service_definition, variables, description })
    }

    /// Whether the image says itself where its tag stands.
    pub fn image_names_tag(&self) -> bool {
        names_tag(&self.image.text.value)
    }
}

fn names_tag(image: &str) -> bool {
    expression::names(image).iter().any(|name| name == "artifact.tag")
}

/// An image with expressions is checked with each of them as if it were a word, so that a fixed tag is found at once.
fn check_join(image: &Template<Image>, spec: &Element<'_>) {
    let text = &image.text.value;
    if !text.contains("${") {
        return;
    }
    let mut sketch = text.replace(":${artifact.tag}", "");
    for name in expression::names(text) {
        sketch = sketch.replace(&format!("${{{name}}}"), "x");
    }
    if !sketch.contains("${")
        && let Err(wrong) = Image::read(&sketch)
    {
        spec.findings().at(&image.text.place, wrong);
    }
}
