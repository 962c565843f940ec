//! What a delegate is told at its start: by arguments, or by environment variables with the same meaning. The join token is the
//! exception: it comes from a file or the environment only, because arguments stand in every process list.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::{Parser, ValueEnum};
use runtime::telemetry;
use secrecy::SecretString;

use crate::executor::Polling;

/// The environment variable with the join token.
pub const JOIN_TOKEN_VARIABLE: &str = "SEGUE_JOIN_TOKEN";

/// A delegate of Segue: performs the steps of deployments where it runs, with the AWS credentials it finds there, on the word of a
/// control plane that it connects to. It opens no port.
#[derive(Debug, Clone, Parser)]
#[command(name = "segue-delegate", version, after_help = JOINING)]
pub struct Settings {
    /// The control plane's address for delegates.
    #[arg(long, env = "SEGUE_DELEGATE_CONTROL_PLANE", value_name = "https://HOST:PORT")]
    pub control_plane: String,

    /// Certificates (PEM) of the authority that the control plane's own certificate must come from. Needed to join; later the
    /// delegate knows it.
    #[arg(long, env = "SEGUE_DELEGATE_AUTHORITIES", value_name = "FILE")]
    pub authorities: Option<PathBuf>,

    /// A file with the one-time join token.
    #[arg(long, env = "SEGUE_DELEGATE_JOIN_TOKEN_FILE", value_name = "FILE")]
    pub join_token_file: Option<PathBuf>,

    /// Join by this machine's AWS identity instead of a token, if the control plane's rules let it (segue server --aws-join).
    #[arg(long, env = "SEGUE_DELEGATE_JOIN_BY_AWS", value_parser = clap::builder::BoolishValueParser::new())]
    pub join_by_aws: bool,

    /// The join token from the environment.
    #[arg(skip)]
    pub join_token: Option<SecretString>,

    /// Where the delegate keeps its key and certificate. One process at a time.
    #[arg(long, env = "SEGUE_DELEGATE_STATE_DIR", value_name = "DIR", default_value = "/var/lib/segue-delegate")]
    pub state_dir: PathBuf,

    /// A name for people, and a selector: letters, digits, `.`, `_`, `-`, at most 63. Without it, the machine's.
    #[arg(long, env = "SEGUE_DELEGATE_NAME", value_name = "NAME", value_parser = name)]
    pub name: Option<String>,

    /// What infrastructures can ask for to get this delegate. May be given several times.
    #[arg(long = "selector", env = "SEGUE_DELEGATE_SELECTORS", value_name = "SELECTOR", value_delimiter = ',', value_parser = selector)]
    pub selectors: Vec<String>,

    /// A directory with secrets for ${secrets.NAME}: one file a secret.
    #[arg(long, env = "SEGUE_DELEGATE_SECRETS_DIR", value_name = "DIR")]
    pub secrets_dir: Option<PathBuf>,

    /// Run shell scripts of workflows, as the user that the delegate runs as. Without it they are refused.
    #[arg(long, env = "SEGUE_ALLOW_SHELL_SCRIPTS", value_parser = clap::builder::BoolishValueParser::new())]
    pub allow_shell_scripts: bool,

    /// A file that says what this delegate will ever touch, whatever the control plane says: clusters, services, load balancers, roles ...
    #[arg(long, env = "SEGUE_DELEGATE_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// The shortest and the longest time between two questions to AWS while a step waits.
    #[arg(long, env = "SEGUE_DELEGATE_POLL_INTERVAL_MS", value_name = "MIN..MAX", default_value = "1000..5000")]
    pub poll_interval_ms: PollInterval,

    /// A PEM file of the authorities to trust for calls of AWS, instead of those that this machine trusts: where a proxy opens TLS, for
    /// example. AWS's own tools call it so, too.
    #[arg(long, env = "AWS_CA_BUNDLE", value_name = "FILE")]
    pub aws_ca_bundle: Option<PathBuf>,

    /// How many calls a second AWS takes from this delegate, as a multiple of the rates that AWS publishes for an account: 0.5 for
    /// one of two delegates of the same account, 2 where AWS has doubled the quotas. Calls wait for their turn at a little less.
    #[arg(long, env = "SEGUE_DELEGATE_AWS_CALL_RATE", value_name = "FACTOR", default_value = "1")]
    pub aws_call_rate: CallRate,

    /// Memory for log lines that the control plane has not confirmed, as 512KiB or 16MiB. When it is full, the oldest lines are
    /// dropped and the log says so.
    #[arg(long, env = "SEGUE_DELEGATE_LOG_MEMORY", value_name = "SIZE", default_value = "16MiB")]
    pub log_memory: Size,

    /// How the delegate's own messages on standard error look.
    #[arg(long, env = "SEGUE_DELEGATE_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

const JOINING: &str = "\
To join, make a token with `segue delegate token create` and start the delegate with it in the file --join-token-file or in the \
environment variable SEGUE_JOIN_TOKEN. A token is good for one delegate and a short time. Once joined, the delegate needs none.

SEGUE_LOG filters the delegate's own messages (info, debug, ...). AWS credentials, endpoints and profiles are found as every AWS \
tool finds them.";

impl Settings {
    /// Reads these arguments (the first is the program's name) and the environment.
    ///
    /// # Errors
    /// When they are wrong; for help and version too, as clap has it.
    pub fn of_arguments(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Self, clap::Error> {
        let settings = Self::try_parse_from(arguments)?;
        let token = std::env::var(JOIN_TOKEN_VARIABLE).ok().filter(|token| !token.is_empty());
        Ok(Self { join_token: token.map(SecretString::from), ..settings })
    }
}

/// How the delegate's own messages look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For a person.
    Text,
    /// One JSON object a line.
    Json,
}

impl From<LogFormat> for telemetry::Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Text => Self::Text,
            LogFormat::Json => Self::Json,
        }
    }
}

/// The bounds of the poll interval, as `1000..5000` (milliseconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollInterval {
    /// The shortest interval.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

/// A text that is no setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSetting(String);

impl FromStr for PollInterval {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let invalid = || InvalidSetting("expected MIN..MAX in milliseconds, as 1000..5000, with MIN at least 1".into());
        let (min, max) = text.split_once("..").ok_or_else(invalid)?;
        let ms = |text: &str| text.trim().parse().map(Duration::from_millis).map_err(|_| invalid());
        let interval = Self { min: ms(min)?, max: ms(max)? };
        if interval.min.is_zero() || interval.min > interval.max { Err(invalid()) } else { Ok(interval) }
    }
}

impl From<PollInterval> for Polling {
    fn from(interval: PollInterval) -> Self {
        Self { min: interval.min, max: interval.max }
    }
}

/// A multiple of the rates that AWS publishes, from 0.01 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CallRate(pub f64);

impl FromStr for CallRate {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let rate = text.parse().ok().filter(|rate| (0.01..=1_000.0).contains(rate));
        rate.map(Self).ok_or_else(|| InvalidSetting("expected a number from 0.01 to 1000, as 0.5".into()))
    }
}

/// A size in bytes, as `65536`, `512KiB` or `16MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub usize);

impl FromStr for Size {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let invalid = || InvalidSetting("expected a size of at least 64KiB, as 512KiB or 16MiB".into());
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = match &text[digits.len()..] {
            "" => 1,
            "KiB" => 1024,
            "MiB" => 1024 * 1024,
            _ => return Err(invalid()),
        };
        let bytes = digits.parse::<usize>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(invalid)?;
        if bytes < 64 * 1024 { Err(invalid()) } else { Ok(Self(bytes)) }
    }
}

/// The longest name of a delegate.
const LONGEST_NAME: usize = 63;

fn name(text: &str) -> Result<String, InvalidSetting> {
    if !text.is_empty() && text.len() <= LONGEST_NAME && text.chars().all(in_names) {
        Ok(text.to_owned())
    } else {
        Err(InvalidSetting("expected letters, digits, `.`, `_` or `-`, at most 63".into()))
    }
}

/// The longest selector, in characters.
const LONGEST_SELECTOR: usize = 128;

fn selector(text: &str) -> Result<String, InvalidSetting> {
    if text.chars().count() <= LONGEST_SELECTOR && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(InvalidSetting("expected at most 128 printable characters".into()))
    }
}

fn in_names(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

/// The machine's name as a delegate's name.
pub fn machine_name() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = text.trim().chars().map(|c| if in_names(c) { c } else { '-' }).take(LONGEST_NAME).collect();
    if name.is_empty() { "delegate".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Settings, clap::Error> {
        let all = ["segue-delegate", "--control-plane", "https://segue:7401"].iter().chain(arguments);
        Settings::of_arguments(all.map(Into::into))
    }

    #[test]
    fn arguments_are_read_and_wrong_ones_refused() {
        let settings = parse(&["--selector", "eu", "--selector", "prod", "--poll-interval-ms", "50..250", "--name", "a.b_c-1"])
            .expect("right");
        assert_eq!(settings.selectors, ["eu", "prod"]);
        assert_eq!(settings.poll_interval_ms, "50..250".parse().expect("an interval"));
        assert_eq!(settings.aws_call_rate, CallRate(1.0));
        assert_eq!(settings.log_memory, Size(16 * 1024 * 1024));
        for wrong in [
            ["--name", "two words"],
            ["--selector", "bell\u{7}"],
            ["--poll-interval-ms", "0..5"],
            ["--poll-interval-ms", "9..5"],
            ["--poll-interval-ms", "5"],
            ["--aws-call-rate", "0"],
            ["--aws-call-rate", "fast"],
            ["--log-memory", "1KiB"],
            ["--log-memory", "12 bytes"],
            ["--join-token", "never-an-argument"],
        ] {
            assert!(parse(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_machine_has_a_name_that_is_one() {
        assert!(name(&machine_name()).is_ok());
    }
}
