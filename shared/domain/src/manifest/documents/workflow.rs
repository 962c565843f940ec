//! Workflow: how it is deployed.

use crate::{
    manifest::{
        fields::{Element, Mapping},
        naming::{check_title, check_variable, shown},
        parse::{description, reference},
        source::Located,
        steps::{StepDocument, Switch, check_shape, name_steps},
        strategies::failure_strategies,
        template::{Template, Wrong, meant_or_known},
        written::{FreeText, YesNo},
    },
    strategy::FailureStrategy,
};

/// Steps of all phases together, at most.
const STEPS: usize = 200;

/// What a workflow says. Its type is blue/green, switched by load balancers or by DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// The service it deploys.
    pub service: Located<String>,
    /// The environment it deploys to.
    pub environment: Located<String>,
    /// The infrastructure it deploys to.
    pub infrastructure: Located<String>,
    /// Variables, for `${workflow.variables.X}`, in the order they were written.
    pub variables: Vec<Variable>,
    /// Its phases, in the order they run.
    pub phases: Vec<Phase>,
    /// What is done when a step fails, where neither the step nor its phase says so.
    pub failure_strategies: Vec<FailureStrategy>,
    /// Words for people.
    pub description: Option<String>,
}

/// A variable that can be given when a deployment is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Located<String>,
    /// Its value when none is given.
    pub default: Option<Template<FreeText>>,
    /// Whether one has to be given.
    pub required: bool,
    /// Words for people.
    pub description: Option<String>,
}

/// A part of the workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// Its steps, in the order they run.
    pub steps: Vec<StepDocument>,
    /// What is done when one of its steps fails that has no word of its own about it.
    pub failure_strategies: Vec<FailureStrategy>,
}

impl Workflow {
    pub(in crate::manifest) fn read(spec: &Element<'_>) -> Option<Self> {
        let fields = spec.mapping(&[
            "type",
            "switch",
            "service",
            "environment",
            "infrastructure",
            "variables",
            "phases",
            "failureStrategies",
            "description",
        ])?;
        word(&fields, "type", "a type of workflow that can be run", &["blueGreen"]);
        let switch = match word(&fields, "switch", "a switch that can be used", &["loadBalancer", "dns"]).as_deref() {
            Some("dns") => Switch::Dns,
            _ => Switch::LoadBalancer,
        };
        let service = reference(&fields, "service");
        let environment = reference(&fields, "environment");
        let infrastructure = reference(&fields, "infrastructure");
        let variables = variables(fields.optional("variables"));
        let phases = fields.required("phases").and_then(|element| phases(&element, switch));
        let failure_strategies = failure_strategies(&fields, None);
        let description = description(&fields);
        Some(Self {
            service: service?,
            environment: environment?,
            infrastructure: infrastructure?,
            variables,
            phases: phases?,
            failure_strategies,
            description,
        })
    }
}

/// A field with one of the known words. None when it has none of them.
fn word(fields: &Mapping<'_>, field: &str, what: &str, known: &[&str]) -> Option<String> {
    let text = fields.value::<FreeText>(field)?;
    if known.contains(&text.value.as_str()) {
        return Some(text.value);
    }
    let wrong = Wrong::new(format!("{} is not {what}", shown(&text.value)));
    fields.element().findings().at(&text.place, wrong.hint(meant_or_known(&text.value, known)));
    None
}

fn variables(element: Option<Element<'_>>) -> Vec<Variable> {
    let entries = element.and_then(|element| element.entries()).unwrap_or_default();
    entries.into_iter().filter_map(|(name, value)| variable(name, &value)).collect()
}

/// `Name: default`, or `Name: {default, required, description}`.
fn variable(name: Located<String>, value: &Element<'_>) -> Option<Variable> {
    if let Err(wrong) = check_variable(&name.value) {
        value.findings().at(&name.place, wrong);
        return None;
    }
    if value.is_null() {
        let wrong = Wrong::new(format!("variable {} has neither a default nor a description", name.value));
        value.findings().at(&name.place, wrong.hint("write a default (\"\" for none), or {required: true}"));
        return None;
    }
    if !value.is_mapping() {
        return Some(Variable { name, default: Some(value.template()?), required: false, description: None });
    }
    let fields = value.mapping(&["default", "required", "description"])?;
    let default = fields.optional_template("default");
    let required = fields.optional_value::<YesNo>("required");
    if let (Some(_), Some(required)) = (&default, &required)
        && required.value
    {
        let wrong = Wrong::new(format!("variable {} is required, so its default is never used", name.value));
        value.findings().at(&required.place, wrong.hint("leave one of the two away"));
    }
    Some(Variable { name, default, required: required.is_some_and(|yes| yes.value), description: description(&fields) })
}

fn phases(element: &Element<'_>, switch: Switch) -> Option<Vec<Phase>> {
    let list = element.list()?;
    if list.is_empty() {
        element.wrong(Wrong::new("there is no phase, so there is nothing to do"));
    }
    // Every phase is read before one that is wrong ends it, so that all findings are told.
    let phases: Vec<Option<Phase>> = list.iter().enumerate().map(|(index, phase)| self::phase(index, phase)).collect();
    let mut phases: Vec<Phase> = phases.into_iter().collect::<Option<_>>()?;
    let count: usize = phases.iter().map(|phase| phase.steps.len()).sum();
    if count > STEPS {
        element.wrong(Wrong::new(format!("{count} steps; at most {STEPS} can be planned")));
        return None;
    }
    name_steps(&mut phases, element.findings());
    check_shape(&phases, switch, element.findings());
    Some(phases)
}

fn phase(index: usize, element: &Element<'_>) -> Option<Phase> {
    let fields = element.mapping(&["name", "steps", "failureStrategies"])?;
    let name = match fields.optional_value::<FreeText>("name") {
        Some(name) => {
            if let Err(wrong) = check_title(&name.value) {
                element.findings().at(&name.place, wrong);
            }
            name.value
        }
        None => format!("Phase {}", index + 1),
    };
    let list = fields.required("steps")?;
    let steps = list.list()?;
    if steps.is_empty() {
        list.wrong(Wrong::new("a phase without steps does nothing"));
    }
    let steps: Vec<Option<StepDocument>> = steps.iter().map(StepDocument::read).collect();
    let failure_strategies = failure_strategies(&fields, None);
    Some(Phase { name, steps: steps.into_iter().collect::<Option<_>>()?, failure_strategies })
}
