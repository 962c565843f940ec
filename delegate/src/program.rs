//! The program: everything put together, from settings to the last goodbye. Both the `segue-delegate` binary and whoever brings a
//! delegate along (the sandbox) call this.

use std::{ffi::OsString, io, process::ExitCode, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use domain::ids::InstanceId;
use runtime::{
    chance::Chance,
    clock::{Clock, SystemClock},
    shutdown::Shutdown,
    tasks::Tasks,
    telemetry::{self, TelemetryError},
    tls,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    agent::Work,
    aws::{
        budget::Budgets,
        sdk::{CallLimits, SdkAccess, TrustError, trusting},
    },
    enrol::{Identity, StateDir, identity::InvalidIdentity, join, join::JoinError, renewal, state::StateError},
    executor::{SecretsDirectory, Services, WaitMemory},
    policy::{Policy, PolicyAccess, PolicyError},
    process::Process,
    session::Connector,
    settings::{Settings, machine_name},
};

/// A delegate is idle most of its life: two threads serve its connection and its steps, which mostly wait.
const THREADS: usize = 2;
/// Selectors that a control plane takes.
const MOST_SELECTORS: usize = 64;
/// How long what is left may take to end after the goodbye.
const ENDING: Duration = Duration::from_secs(3);

/// Why a delegate did not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The system did not give what every process needs.
    #[error("the delegate can't run here: {0}")]
    System(#[from] io::Error),
    /// Its own messages can't be written.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The state directory can't be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// It could not join.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// Its policy can't be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The authorities that it is to trust for AWS can't be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Its certificate can't be read.
    #[error(transparent)]
    Identity(#[from] InvalidIdentity),
    /// Its certificate has ended and it has no token to join anew.
    #[error(
        "this delegate's certificate has ended while it was away: it has to join anew. Make a token with `segue delegate token \
         create` and start the delegate with it and with --authorities"
    )]
    CertificateEnded,
    /// It has more selectors than a control plane takes.
    #[error("a delegate has at most {MOST_SELECTORS} selectors, its name included")]
    Selectors,
    /// Part of it failed in a way that must not be: better an end and a new start than half a delegate.
    #[error("a part of the delegate panicked; its log tells which")]
    Panicked,
}

/// The whole program: these arguments (the first is the program's name) and the environment, messages on standard error, and the exit
/// status: 0 for a delegate that has left in order, 1 for one that could not start or broke, 2 for wrong arguments.
pub fn main_with(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let settings = match Settings::of_arguments(arguments) {
        Ok(settings) => settings,
        // Help and version come this way too, with status 0.
        Err(error) => {
            // Nothing is left to be done about a standard error that can't be written.
            let _ = error.print();
            return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    match serve(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("segue-delegate: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a delegate until a signal asks it to stop.
///
/// # Errors
/// When it can't start, or a part of it panicked.
pub fn serve(settings: Settings) -> Result<(), ProgramError> {
    tls::install_provider();
    telemetry::init(settings.log_format.into(), "info")?;
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
    threads.block_on(async {
        let shutdown = Shutdown::on_signals()?;
        run(settings, shutdown.token()).await
    })
}

/// Runs a delegate until `stop` is cancelled and it has left in order, or the control plane asked it to leave. TLS and telemetry are
/// the caller's to set up.
///
/// # Errors
/// When it can't start, or a part of it panicked.
pub async fn run(settings: Settings, stop: CancellationToken) -> Result<(), ProgramError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let polling = settings.poll_interval_ms.into();
    let secrets = SecretsDirectory::new(settings.secrets_dir.clone());
    let limits = CallLimits::default();
    let policy = Arc::new(settings.policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default());
    let shell_scripts = settings.allow_shell_scripts && policy.allows_scripts();
    let bundle = settings.aws_ca_bundle.as_deref().filter(|path| !path.as_os_str().is_empty());
    let http = bundle.map(trusting).transpose()?;
    let budgets = Budgets::published(settings.aws_call_rate.0);
    let by_the_clock = clock.clone();
    let work = move |identity: &Identity| -> Arc<dyn Work> {
        let sdk = SdkAccess::new(&identity.delegate_id.to_string(), limits, budgets).over(http);
        Arc::new(Services {
            aws: Arc::new(PolicyAccess::new(Arc::new(sdk), policy)),
            secrets,
            polling,
            memory: Arc::new(WaitMemory::default()),
            write_budget: limits.write,
            shell_scripts,
            clock: by_the_clock,
            chance: Chance::from_machine(),
        })
    };
    run_with(settings, work, clock, stop).await
}

/// [`run`] with other hands: `work` performs the steps.
///
/// # Errors
/// As [`run`].
pub async fn run_with(
    settings: Settings,
    work: impl FnOnce(&Identity) -> Arc<dyn Work>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<(), ProgramError> {
    let selectors = selectors(&settings);
    if selectors.len() > MOST_SELECTORS {
        return Err(ProgramError::Selectors);
    }
    let state = Arc::new(StateDir::open(&settings.state_dir)?);
    let Some(identity) = identity(&settings, &state, clock.as_ref(), &stop).await? else { return Ok(()) };
    tracing::info!(delegate = %identity.delegate_id, control_plane = settings.control_plane, "the delegate starts");

    let tasks = Tasks::new(CancellationToken::new());
    let work = work(&identity);
    let identity = Arc::new(ArcSwap::from_pointee(identity));
    let connector = Connector::new(&settings.control_plane, identity.clone());
    let process = Process {
        instance: InstanceId::new(Uuid::now_v7()),
        selectors,
        work,
        connector: Arc::new(connector.clone()),
        clock: clock.clone(),
        chance: Chance::from_machine(),
        log_memory: settings.log_memory.0,
        tasks: tasks.clone(),
    };
    let running = process.start(stop);
    tasks.spawn_until_cancelled("renewal", renewal::keep_fresh(connector, identity, state.clone(), clock));

    tokio::select! {
        () = running.left() => {}
        () = tasks.panicked() => return Err(ProgramError::Panicked),
    }
    if let Err(late) = tasks.drain(ENDING).await {
        tracing::warn!(%late, "stopped with parts still at work");
    }
    tracing::info!("the delegate has left");
    Ok(())
}

/// The identity kept from before, or a new one. None if asked to stop before the control plane could be reached.
async fn identity(
    settings: &Settings,
    state: &StateDir,
    clock: &dyn Clock,
    stop: &CancellationToken,
) -> Result<Option<Identity>, ProgramError> {
    let known = state.identity()?;
    let ended = known.as_ref().map(Identity::ends_ms).transpose()?.is_some_and(|ends_ms| ends_ms <= clock.now_ms());
    match known {
        Some(identity) if !ended => return Ok(Some(identity)),
        Some(_) => tracing::warn!("the delegate's certificate has ended: joining anew, as another delegate"),
        None => {}
    }
    match join::join(settings, clock, stop).await {
        Ok(identity) => {
            state.save(&identity)?;
            tracing::info!(delegate = %identity.delegate_id, "joined the control plane");
            Ok(Some(identity))
        }
        Err(JoinError::Stopped) => Ok(None),
        Err(JoinError::NoToken) if ended => Err(ProgramError::CertificateEnded),
        Err(error) => Err(error.into()),
    }
}

/// What the delegate calls itself: its selectors and its name.
fn selectors(settings: &Settings) -> Vec<String> {
    let name = settings.name.clone().unwrap_or_else(machine_name);
    let mut selectors: Vec<String> = settings.selectors.iter().filter(|selector| !selector.is_empty()).cloned().collect();
    selectors.push(name);
    selectors.sort();
    selectors.dedup();
    selectors
}
