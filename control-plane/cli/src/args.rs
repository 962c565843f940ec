//! The shape of the command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Blue/green deployments of Amazon ECS services into closed networks.
#[derive(Debug, Parser)]
#[command(name = "segue", version, about, after_help = crate::exit::HELP, max_term_width = 120)]
pub struct Arguments {
    /// Which control plane, as whom.
    #[command(flatten)]
    pub context: ContextArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Which control plane, as whom.
#[derive(Debug, Clone, Args)]
pub struct ContextArguments {
    /// Context file (else the context chosen with `segue context use`).
    #[arg(long, env = "SEGUE_CONTEXT", global = true, value_name = "FILE", hide_env_values = true)]
    pub context: Option<PathBuf>,
    /// Another address than the context's.
    #[arg(long, env = "SEGUE_SERVER", hide_env_values = true, global = true, value_name = "https://HOST:PORT")]
    pub server: Option<String>,
    /// A file with another token than the context's. (A token among the arguments would stand in every process list.)
    #[arg(long, env = "SEGUE_TOKEN_FILE", hide_env_values = true, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// A file with other certificates (PEM) to trust than the context's. With this, --server and --token-file, no context is needed.
    #[arg(long, env = "SEGUE_AUTHORITIES", hide_env_values = true, global = true, value_name = "FILE")]
    pub authorities: Option<PathBuf>,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the control plane.
    Server(ServerArguments),
    /// Check documents and keep them: all of them, or none.
    Apply(ApplyArguments),
    /// Show documents that are kept.
    Get(GetArguments),
    /// Start a deployment and follow it to its end.
    Deploy(DeployArguments),
    /// Go back to the version before the last deployment that succeeded.
    Rollback(RollbackArguments),
    /// Look at deployments.
    #[command(subcommand)]
    Deployment(DeploymentCommand),
    /// Look at delegates, and let new ones join.
    #[command(subcommand)]
    Delegate(DelegateCommand),
    /// The authority that signs every certificate, and its exchange for another.
    #[command(subcommand)]
    Authority(AuthorityCommand),
    /// Look into a VPC through a delegate.
    #[command(subcommand)]
    Discover(DiscoverCommand),
    /// Contexts: which control plane, as whom.
    #[command(subcommand)]
    Context(ContextCommand),
    /// Print a completion script for a shell.
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the version of this program, and of the control plane if it can be reached.
    Version,
}

/// `segue server`.
#[derive(Debug, Args)]
pub struct ServerArguments {
    /// Folder for everything that is kept.
    #[arg(long, default_value = "segue-data", env = "SEGUE_DATA_DIR", hide_env_values = true)]
    pub data_dir: PathBuf,
    /// Where people and programs connect.
    #[arg(long, default_value = "127.0.0.1:7600")]
    pub listen: SocketAddr,
    /// Where delegates connect.
    #[arg(long, default_value = "127.0.0.1:7601")]
    pub delegate_listen: SocketAddr,
    /// Host name or address by which others reach this server; stands in its certificate. Repeatable.
    #[arg(long)]
    pub public_name: Vec<String>,
    /// How long a delegate's heartbeat is good for, in milliseconds.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1_000..=600_000))]
    pub lease_ms: u64,
    /// How often a delegate is to send one, in milliseconds.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub heartbeat_ms: u64,
    /// How long after a lease's end its tasks are handed to another delegate, in milliseconds.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub margin_ms: u64,
    /// A file with the AWS identities that may join as delegates without a token: a YAML list of `arn` (with `*` behind the account),
    /// and optionally `applications` and `environments`. Read anew for each delegate that joins.
    #[arg(long, value_name = "FILE")]
    pub aws_join: Option<PathBuf>,
    /// Where STS is asked whose an AWS identity is, instead of AWS's own endpoint in the delegate's region.
    #[arg(long, value_name = "URL", requires = "aws_join")]
    pub sts_endpoint: Option<String>,
    /// Write log lines as JSON.
    #[arg(long)]
    pub log_json: bool,
}

/// `segue apply`.
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// File, folder (every .yaml and .yml in it) or `-` for standard input. Repeatable.
    #[arg(short, long = "file", required = true)]
    pub files: Vec<PathBuf>,
    /// Check everything and keep nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// `segue get`.
#[derive(Debug, Args)]
pub struct GetArguments {
    /// application, service, environment, infrastructure or workflow.
    pub kind: Option<String>,
    /// Name of one.
    #[arg(requires = "kind")]
    pub name: Option<String>,
    /// Application.
    #[arg(short, long)]
    pub application: Option<String>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// `segue deploy`.
#[derive(Debug, Args)]
pub struct DeployArguments {
    /// The workflow.
    pub workflow: String,
    /// The image's tag.
    #[arg(long)]
    pub artifact_tag: String,
    /// Application; may be left out when there is just one.
    #[arg(short, long)]
    pub application: Option<String>,
    /// A variable of the workflow, as NAME=VALUE. Repeatable.
    #[arg(long = "var", value_parser = variable, value_name = "NAME=VALUE")]
    pub variables: Vec<(String, String)>,
    /// Return as soon as it is accepted.
    #[arg(long)]
    pub detach: bool,
    /// Return as soon as this is so: a step of that name is done, `traffic-shifted`, or `finished`.
    #[arg(long, value_name = "STEP|traffic-shifted|finished", default_value = "finished", conflicts_with = "detach")]
    pub wait_for: String,
    /// How to print. With json, one object at the end.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// `segue rollback`.
#[derive(Debug, Args)]
pub struct RollbackArguments {
    /// `dep_...`; else the last deployment that succeeded.
    #[arg(conflicts_with_all = ["infrastructure", "service"])]
    pub id: Option<String>,
    /// Infrastructure; may be left out when deployments went to just one.
    #[arg(short, long)]
    pub infrastructure: Option<String>,
    /// Service; may be left out when just one was deployed there.
    #[arg(short, long)]
    pub service: Option<String>,
    /// Application.
    #[arg(short, long)]
    pub application: Option<String>,
    /// Only show what it would do.
    #[arg(long, conflicts_with_all = ["yes", "detach"])]
    pub preview: bool,
    /// Don't ask.
    #[arg(short, long)]
    pub yes: bool,
    /// Return as soon as it is accepted.
    #[arg(long)]
    pub detach: bool,
    /// How to print. With json, one object at the end.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("NAME=VALUE is expected".to_owned()),
    }
}

/// `segue deployment`.
#[derive(Debug, Subcommand)]
pub enum DeploymentCommand {
    /// The newest deployments.
    List {
        /// Only of this application.
        #[arg(short, long)]
        application: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// One deployment with its steps, attempts and failures.
    Show {
        /// `dep_...`
        id: String,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Its log.
    Logs {
        /// `dep_...`
        id: String,
        /// Go on until it has ended.
        #[arg(short, long)]
        follow: bool,
        /// How to print. With json, one object a line.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Follow it to its end; the exit status tells how it ended.
    Watch {
        /// `dep_...`
        id: String,
        /// Return as soon as this is so: a step of that name is done, `traffic-shifted`, or `finished`.
        #[arg(long, value_name = "STEP|traffic-shifted|finished", default_value = "finished")]
        wait_for: String,
        /// How to print. With json, one object at the end.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Begin no further step. The one that runs goes on to its end.
    Pause(SignalArguments),
    /// Go on after a pause.
    Resume(SignalArguments),
    /// Stop it and leave everything as it is.
    Abort(SignalArguments),
    /// Undo it now.
    Rollback(SignalArguments),
    /// Try the step again that waits for a person, or for its next try. Of one that needs an operator: try again what could not be
    /// undone.
    Retry(StepSignalArguments),
    /// Go on without the step that waits for a person.
    Ignore(StepSignalArguments),
    /// Take the step that waits for a person, or a wait that runs, for done.
    Succeed(StepSignalArguments),
    /// Say yes to the approval that waits.
    Approve(AnswerArguments),
    /// Say no to the approval that waits.
    Reject(AnswerArguments),
}

/// An answer to an approval.
#[derive(Debug, Args)]
pub struct AnswerArguments {
    /// `dep_...`
    pub id: String,
    /// The step's name. Refused if it is not the one that waits.
    #[arg(long)]
    pub step: Option<String>,
    /// What is kept beside the answer, for those who read it later.
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

/// A word to a running deployment.
#[derive(Debug, Args)]
pub struct SignalArguments {
    /// `dep_...`
    pub id: String,
}

/// A word about a step of a running deployment.
#[derive(Debug, Args)]
pub struct StepSignalArguments {
    /// `dep_...`
    pub id: String,
    /// The step's name. Refused if it is not the one that waits.
    #[arg(long)]
    pub step: Option<String>,
}

/// `segue delegate`.
#[derive(Debug, Subcommand)]
pub enum DelegateCommand {
    /// All delegates.
    List {
        /// Those that were revoked, too.
        #[arg(long)]
        all: bool,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// One delegate, with everything known of it.
    Show {
        /// Its name or id.
        delegate: String,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Who could take what a deployment wants now, and why the others could not.
    Why {
        /// The deployment's id.
        deployment: String,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Ask a delegate to take no new tasks, hand over what it has, and leave.
    Drain {
        /// Its name or id.
        delegate: String,
    },
    /// Trust a delegate no longer: its connection ends at once and its certificate opens nothing any more.
    Revoke {
        /// Its name or id.
        delegate: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// One-time join tokens.
    #[command(subcommand)]
    Token(TokenCommand),
}

/// `segue authority`.
#[derive(Debug, Subcommand)]
pub enum AuthorityCommand {
    /// Who is trusted, how far an exchange is, and which delegates are not ready for its next phase.
    Show {
        /// How to print.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Begin an exchange or go on to its next phase: three calls exchange the authority while everything runs.
    Rotate {
        /// Leave behind the delegates that are not ready: they have to join again.
        #[arg(long)]
        force: bool,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
}

/// `segue delegate token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token with which one delegate can join, once.
    Create {
        /// How long it is good for, as `10m` or `1h` (at most 24 h).
        #[arg(long, default_value = "10m", value_parser = duration)]
        ttl: u64,
        /// Only tasks of this application are given to the delegate. Repeatable; without it, all.
        #[arg(long = "application", value_name = "APPLICATION")]
        applications: Vec<String>,
        /// Only tasks of this environment are given to the delegate. Repeatable; without it, all.
        #[arg(long = "environment", value_name = "ENVIRONMENT")]
        environments: Vec<String>,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
}

fn duration(text: &str) -> Result<u64, String> {
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| "a duration such as 10m or 1h 30m is expected".to_owned())?;
    match u64::try_from(parsed.as_secs()) {
        Ok(seconds) if (1..=86_400).contains(&seconds) => Ok(seconds),
        _ => Err("from 1s to 24h".to_owned()),
    }
}

/// `segue discover`.
#[derive(Debug, Subcommand)]
pub enum DiscoverCommand {
    /// Load balancers with their listeners, rules and target groups.
    LoadBalancers {
        /// The infrastructure to look in.
        #[arg(short, long)]
        infrastructure: String,
        /// Application; may be left out when there is just one.
        #[arg(short, long)]
        application: Option<String>,
        /// Only in this VPC (else the infrastructure's).
        #[arg(long)]
        vpc: Option<String>,
        /// Only those whose name contains this.
        #[arg(long)]
        name: Option<String>,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
}

/// `segue context`.
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// Take a context file over under a name, and choose it.
    Add {
        /// Its name.
        name: String,
        /// The file.
        #[arg(long)]
        file: PathBuf,
    },
    /// All contexts; the chosen one is marked.
    List,
    /// Choose a context.
    Use {
        /// Its name.
        name: String,
    },
    /// What a context says, without its token.
    Show {
        /// Its name; none: the one that is used.
        name: Option<String>,
    },
    /// Ask the control plane which authorities it goes by now, and trust those: to be run while an exchange is under way.
    Refresh,
}
