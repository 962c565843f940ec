//! Notify: tells a webhook how far the deployment is. That nobody could be told stops a deployment only if its workflow says so.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::{Notify, StepOutput},
    task::Assignment,
};
use runtime::http::Question;
use serde_json::{Value, json};

use super::Step;
use crate::executor::{Outcome, StepContext};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How often it is tried while nobody answers, or only with a fault.
const TRIES: u32 = 3;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// *Notify*.
pub(super) struct Tell<'a> {
    pub(super) input: &'a Notify,
}

#[async_trait]
impl Step for Tell<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        let console = context.console();
        // The path of a webhook is often its password.
        let host = host(&self.input.webhook);
        let body = body(context.assignment(), &self.input.message).to_string();
        let mut tried = 1;
        let failure = loop {
            context.go_on()?;
            let question = Question { url: &self.input.webhook, headers: &BTreeMap::new(), body: Some(&body) };
            let (kind, why, passing) = match context.http().ask(question, ANSWER).await {
                Ok(answer) if (200..300).contains(&answer.status) => {
                    console.info(format!("Told {host}: status {}", answer.status));
                    return Ok(StepOutput::Nothing);
                }
                Ok(answer) if answer.status == 429 || answer.status >= 500 => {
                    (FailureKind::Connectivity, format!("status {}", answer.status), true)
                }
                Ok(answer) => (FailureKind::Application, format!("status {}", answer.status), false),
                Err(error) => (FailureKind::Connectivity, error.to_string(), true),
            };
            if !passing || tried >= TRIES {
                break Failure::refused(kind, format!("{host} could not be told: {why}."));
            }
            console.warn(format!("{host} was not told: {why}; trying again"));
            tried += 1;
            context.pause(PAUSE).await?;
        };
        if self.input.required {
            return Err(failure.hint("Without required: true the deployment goes on when nobody could be told.").into());
        }
        console.warn(format!("{} The deployment goes on.", failure.message));
        Ok(StepOutput::Nothing)
    }

    async fn undo(&self, _context: &StepContext) -> Outcome<()> {
        Ok(())
    }
}

fn body(assignment: &Assignment, message: &str) -> Value {
    let done: Vec<&str> = assignment.earlier.iter().map(|step| step.name.as_str()).collect();
    json!({
        "deployment": assignment.task.deployment.to_string(),
        "infrastructure": assignment.infrastructure.name,
        "step": assignment.step_name,
        // A step forward runs only while nothing is undone.
        "outcome": "running",
        "succeeded": done,
        "message": message,
    })
}

/// Scheme and host of a URL.
fn host(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..].find(['/', '?', '#']).map_or(url.len(), |at| begin + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_named_without_its_path() {
        assert_eq!(host("https://hooks.example:8443/T0/secret?x"), "https://hooks.example:8443");
        assert_eq!(host("http://a"), "http://a");
    }
}
