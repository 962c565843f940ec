//! `segue-sandbox`: a simulated AWS on one machine, and Segue running in it.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Parser, Subcommand};
use sandbox::{
    demo::{self, DemoOptions},
    faults::{self, FaultsCommand},
    sim::{Settings, Simulator},
    up::{self, UpOptions},
    world::Switch,
};

/// A simulated AWS on one machine, and Segue running in it.
#[derive(Parser)]
#[command(name = "segue-sandbox", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Deploy three versions one after another while requests never stop, and tell what came of it.
    ///
    /// Exit status 0 only if every deployment succeeded and no request failed.
    Demo {
        /// Print only one JSON object at the end.
        #[arg(long)]
        json: bool,
        /// Requests a second through the production listener.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=20_000))]
        rate: u32,
        /// How many times faster than AWS its delays pass.
        #[arg(long, default_value_t = 20.0, value_parser = clock_factor)]
        clock_factor: f64,
        /// Seed of ids and jitter.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// What leads production's traffic from one version to the next.
        #[arg(long, value_enum, default_value_t = Switch::LoadBalancer)]
        switch: Switch,
    },
    /// Start the same world and leave it running until Ctrl-C, with lines to copy for `segue` and `aws`.
    Up {
        /// Folder for its files; none: a temporary one, removed at the end.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// How many times faster than AWS its delays pass.
        #[arg(long, default_value_t = 20.0, value_parser = clock_factor)]
        clock_factor: f64,
        /// How many delegates join.
        #[arg(long, default_value_t = 2)]
        delegates: usize,
        /// What leads production's traffic from one version to the next.
        #[arg(long, value_enum, default_value_t = Switch::LoadBalancer)]
        switch: Switch,
    },
    /// Run the simulated AWS alone, in the foreground.
    Aws(AwsArguments),
    /// Let calls of a running simulated AWS go wrong: throttled, refused, failed, reset, lost, silent, slow, stale.
    #[command(subcommand)]
    Faults(FaultsCommand),
    /// Run one of Segue's own programs: `segue-sandbox as segue deploy ...`, `segue-sandbox as segue-delegate ...`.
    As {
        /// `segue` or `segue-delegate`, and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        program: Vec<std::ffi::OsString>,
    },
}

#[derive(clap::Args)]
struct AwsArguments {
    /// Port on 127.0.0.1; 0: any free one, which is printed.
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// Port on 127.0.0.1 of its name server, UDP and TCP; 0: any free one, which is printed.
    #[arg(long, default_value_t = 0)]
    dns_port: u16,
    /// Access key id that is let in.
    #[arg(long, default_value = "test")]
    access_key: String,
    /// Its secret. It opens nothing but this simulator.
    #[arg(long, default_value = "test", env = "SEGUE_SANDBOX_SECRET_KEY", hide_env_values = true)]
    secret_key: String,
    /// How many times faster than AWS its delays pass.
    #[arg(long, default_value_t = 1.0, value_parser = clock_factor)]
    clock_factor: f64,
    /// Seed of ids and jitter.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long each call takes on its way, in real milliseconds.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Loopback block 127.N.0.0/16 for load balancers and tasks; none: a free one is found.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(16..240))]
    network: Option<u8>,
}

fn clock_factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if (0.1..=100.0).contains(&factor) => Ok(factor),
        _ => Err("a number from 0.1 to 100 is expected".to_owned()),
    }
}

fn main() -> ExitCode {
    runtime::tls::install_provider();
    match Arguments::parse().command {
        // Each program brings its own runtime, its own signals and its own exit status.
        Command::As { program } => run_as(program),
        Command::Demo { json, rate, clock_factor, seed, switch } => {
            finish(demonstrate(DemoOptions { json, rate, clock_factor, seed, switch }))
        }
        Command::Up { dir, clock_factor, delegates, switch } => {
            let options = UpOptions { dir, clock_factor, delegates, switch };
            finish(async { up::run(options, stopped()).await.map(|()| ExitCode::SUCCESS) })
        }
        Command::Aws(arguments) => finish(aws(arguments)),
        Command::Faults(command) => finish(async { faults::run(command).await.map(|()| ExitCode::SUCCESS) }),
    }
}

fn run_as(program: Vec<std::ffi::OsString>) -> ExitCode {
    match program.first().and_then(|name| name.to_str()) {
        Some("segue") => cli::main_with(program),
        Some("segue-delegate") => delegate::main_with(program),
        other => {
            eprintln!("segue-sandbox as: {:?} is not one of segue, segue-delegate", other.unwrap_or_default());
            ExitCode::from(2)
        }
    }
}

fn finish(work: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("segue-sandbox: no threads can be had: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(work) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("segue-sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn demonstrate(options: DemoOptions) -> anyhow::Result<ExitCode> {
    let summary = demo::run(&options).await?;
    if options.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        println!("{}", summary.table());
    }
    Ok(if summary.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn aws(arguments: AwsArguments) -> anyhow::Result<ExitCode> {
    let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, arguments.port))
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{}", arguments.port))?;
    let settings = Settings {
        access_key: arguments.access_key.clone(),
        secret_key: arguments.secret_key,
        clock_factor: arguments.clock_factor,
        seed: arguments.seed,
        latency: Duration::from_millis(arguments.latency_ms),
        network: arguments.network,
        dns: (std::net::Ipv4Addr::LOCALHOST, arguments.dns_port).into(),
        ..Settings::default()
    };
    let simulator = Simulator::start(settings, listener)?;
    println!("A simulated AWS listens on {}", simulator.endpoint());
    println!("Its name server listens on {}", simulator.dns());
    println!("  export AWS_ENDPOINT_URL={} AWS_REGION=us-west-1", simulator.endpoint());
    println!("  export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY=...", arguments.access_key);
    stopped().await;
    simulator.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Ctrl-C or SIGTERM.
async fn stopped() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let terminated = async {
        match &mut terminate {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
