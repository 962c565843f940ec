//! The command: rules listed, added, cleared, and applied from a file.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::{
    file,
    given::{self, Given},
};
use crate::world::AwsControl;

/// What is to go wrong in a running simulated AWS.
#[derive(Debug, Subcommand)]
pub enum FaultsCommand {
    /// List the rules, with how often each has fired.
    List {
        /// Print them as JSON, as `apply` takes them.
        #[arg(long)]
        json: bool,
        /// Which simulator.
        #[command(flatten)]
        simulator: Endpoint,
    },
    /// Add a rule: the first that is due decides what befalls a call.
    Add {
        /// The rule.
        #[command(flatten)]
        rule: Given,
        /// Which simulator.
        #[command(flatten)]
        simulator: Endpoint,
    },
    /// Remove all rules.
    Clear {
        /// Which simulator.
        #[command(flatten)]
        simulator: Endpoint,
    },
    /// Add the rules of a YAML or JSON file, a list: all of them, or none if any is wrong.
    Apply {
        /// The file; `-`: standard input.
        file: PathBuf,
        /// Which simulator.
        #[command(flatten)]
        simulator: Endpoint,
    },
}

/// Which simulator.
#[derive(Debug, Args)]
pub struct Endpoint {
    /// Where the simulated AWS listens.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    endpoint: String,
}

impl Endpoint {
    fn control(&self) -> anyhow::Result<AwsControl> {
        let url = self.endpoint.trim_end_matches('/');
        if !url.starts_with("http://") {
            bail!("{url:?} is no simulated AWS: an address as http://127.0.0.1:4566 is expected");
        }
        Ok(AwsControl::new(url))
    }
}

/// Carries out one command.
///
/// # Errors
/// A rule or file that is wrong, with all that is wrong in it, or a simulator that does not answer.
pub async fn run(command: FaultsCommand) -> anyhow::Result<()> {
    match command {
        FaultsCommand::List { json, simulator } => {
            let rules = simulator.control()?.faults().await?;
            println!("{}", if json { serde_json::to_string_pretty(&rules)? } else { table(&rules) });
        }
        FaultsCommand::Add { rule, simulator } => {
            let control = simulator.control()?;
            let rule = given::read(&rule)?;
            control.add_fault(&serde_json::to_value(&rule)?).await?;
            println!("Added: {}", line(&serde_json::to_value(&rule)?));
        }
        FaultsCommand::Clear { simulator } => {
            simulator.control()?.clear_faults().await?;
            println!("Nothing goes wrong by itself any more.");
        }
        FaultsCommand::Apply { file, simulator } => {
            let control = simulator.control()?;
            let text = if file.as_os_str() == "-" {
                std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?
            } else {
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?
            };
            let rules = file::read(&text, &file.display().to_string())?;
            control.add_fault(&serde_json::to_value(&rules)?).await?;
            println!("Added {} rules.", rules.len());
        }
    }
    Ok(())
}

fn table(rules: &Value) -> String {
    let rules = rules.as_array().map(Vec::as_slice).unwrap_or_default();
    if rules.is_empty() {
        return "No rules: nothing goes wrong by itself.".to_owned();
    }
    rules.iter().map(|rule| format!("{}; has befallen {}", line(rule), calls(&rule["fired"]))).collect::<Vec<_>>().join("\n")
}

/// A rule in a line: `ecs:CreateService: throttle, after 2 calls, 3 times`.
fn line(rule: &Value) -> String {
    let fault = &rule["fault"];
    let mut text = format!("{}: {}", word(&rule["operation"]), word(&fault["kind"]));
    for (member, name) in [("code", ""), ("status", "status "), ("message", "")] {
        if let Some(value) = fault.get(member).filter(|value| *value != "") {
            text.push_str(&format!(" {name}{}", word(value)));
        }
    }
    if let Some(delay) = fault.get("delayMs") {
        text.push_str(&format!(" {delay} ms"));
    }
    if rule["after"] != 0 {
        text.push_str(&format!(", after {}", calls(&rule["after"])));
    }
    match rule["times"].as_u64() {
        None => text.push_str(", every time"),
        Some(1) => text.push_str(", once"),
        Some(times) => text.push_str(&format!(", {times} times")),
    }
    text
}

fn calls(count: &Value) -> String {
    if *count == 1 { "1 call".to_owned() } else { format!("{count} calls") }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_reads_as_a_sentence() {
        let refuse = json!({"operation": "sts:*", "fault": {"kind": "refuse", "code": "AccessDenied", "message": "no", "status": 403},
            "after": 1, "times": 1, "fired": 0});
        assert_eq!(line(&refuse), "sts:*: refuse AccessDenied status 403 no, after 1 call, once");
        let slow = json!({"operation": "*", "fault": {"kind": "slow", "delayMs": 50}, "after": 0, "times": null, "fired": 7});
        assert_eq!(table(&json!([slow])), "*: slow 50 ms, every time; has befallen 7 calls");
        assert!(table(&json!([])).starts_with("No rules"));
    }
}
