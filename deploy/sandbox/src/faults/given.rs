//! One rule as it is given on the command line.

use anyhow::bail;
use clap::Args;
use serde_json::{Map, Value, json};

use crate::sim::{Rule, fault_kinds, read_fault};

/// A rule.
#[derive(Debug, Clone, Args)]
pub struct Given {
    /// Which calls it befalls: `ecs:CreateService`, `elbv2:*` or `*`.
    #[arg(long)]
    pub operation: String,
    /// What befalls them.
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(fault_kinds()))]
    pub kind: String,
    /// How many matching calls pass unharmed first.
    #[arg(long, value_name = "N")]
    pub after: Option<u32>,
    /// How many calls it befalls; none: all that come.
    #[arg(long, value_name = "N")]
    pub times: Option<u32>,
    /// How long `slow` and `silent` take, in real milliseconds.
    #[arg(long, value_name = "N")]
    pub delay_ms: Option<u64>,
    /// The error code of `refuse`: `AccessDeniedException`.
    #[arg(long, value_name = "C")]
    pub code: Option<String>,
    /// The text of `refuse`.
    #[arg(long, value_name = "M")]
    pub message: Option<String>,
    /// The HTTP status of `refuse` (400 unless given) and `fail` (500 unless given).
    #[arg(long, value_name = "S")]
    pub status: Option<u16>,
}

/// Options by the member that they become.
const OPTIONS: [(&str, &str); 8] = [
    ("operation", "--operation"),
    ("fault.kind", "--kind"),
    ("after", "--after"),
    ("times", "--times"),
    ("fault.delayMs", "--delay-ms"),
    ("fault.code", "--code"),
    ("fault.message", "--message"),
    ("fault.status", "--status"),
];

/// The rule that is meant.
///
/// # Errors
/// Everything that is wrong in it, by option.
pub fn read(given: &Given) -> anyhow::Result<Rule> {
    let mut fault = Map::from_iter([("kind".to_owned(), given.kind.clone().into())]);
    let mut set = |name: &str, value: Option<Value>| value.map(|value| fault.insert(name.to_owned(), value));
    set("delayMs", given.delay_ms.map(Value::from));
    set("code", given.code.clone().map(Value::from));
    set("message", given.message.clone().map(Value::from));
    set("status", given.status.map(Value::from));
    let mut rule = json!({"operation": given.operation, "fault": fault});
    for (name, value) in [("after", given.after), ("times", given.times)] {
        if let Some(value) = value {
            rule[name] = value.into();
        }
    }
    match read_fault(&rule) {
        Ok(rule) => Ok(rule),
        Err(problems) => {
            let option = |place: &str| OPTIONS.iter().find(|(member, _)| *member == place).map_or("", |(_, option)| option);
            let told: Vec<String> =
                problems.iter().map(|problem| format!("{}: {}", option(&problem.place), problem.text)).collect();
            bail!("{}", told.join("\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(operation: &str, kind: &str) -> Given {
        Given {
            operation: operation.to_owned(),
            kind: kind.to_owned(),
            after: None,
            times: None,
            delay_ms: None,
            code: None,
            message: None,
            status: None,
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_option() {
        let wrong = Given { times: Some(0), status: Some(20), ..given("ecs:CreateServise", "refuse") };
        let told = read(&wrong).expect_err("wrong").to_string();
        for part in ["--operation: ecs has no operation", "--times: has to be", "--code: is missing", "--status: has to be"] {
            assert!(told.contains(part), "{part} is not in {told}");
        }
        assert!(read(&Given { delay_ms: Some(5), ..given("elbv2:*", "slow") }).is_ok());
        assert!(read(&Given { delay_ms: Some(5), ..given("*", "reset") }).is_err(), "a reset takes no time");
    }
}
