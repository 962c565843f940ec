//! Opening the rooms in order: folders, store, certificates, tokens, the deployments that were open, then the ports.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use rand::{SeedableRng, rngs::StdRng};
use runtime::{
    clock::{Clock, SystemClock},
    files::create_private_dir,
    tasks::Tasks,
    tls::{AcceptLimits, ServerTlsError, accept},
};
use tokio::net::TcpListener;
use tonic_health::server::{HealthReporter, health_reporter};
use uuid::Uuid;

use super::{
    context_file,
    pki::{PkiError, server_identity},
    ports,
    rotation::{Ports, Rotation},
    running::Running,
    settings::Settings,
};
use crate::{
    access::{AccessError, Authorities, AuthoritiesError, AwsIdentities, Enrolment, RulesError, Tokens},
    api::{ApiContext, Bearer, Catalogue},
    dispatch::{Dispatch, Gateway, RecordError, Records, Roster},
    logs::{LogError, LogFiles, LogHub},
    store::{SledOptions, SledStore, Store, StoreError, StoreHealth},
};

/// How often the store's health is looked at.
const HEALTH_PERIOD: Duration = Duration::from_secs(1);
/// Whose token the first start makes.
const FIRST_ADMINISTRATOR: &str = "admin";

/// Why the control plane can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder or file.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// An address can't be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The store can't be opened.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// The logs can't be opened.
    #[error("the logs: {0}")]
    Logs(#[from] LogError),
    /// The records in the store can't be read.
    #[error("the records: {0}")]
    Records(#[from] RecordError),
    /// Tokens can't be read or made.
    #[error("{0}")]
    Access(#[from] AccessError),
    /// The authorities.
    #[error("the authorities: {0}")]
    Authorities(#[from] AuthoritiesError),
    /// The server's certificate.
    #[error("the server's certificate: {0}")]
    Pki(#[from] PkiError),
    /// The rules for joining by AWS identity.
    #[error("the rules for joining by AWS identity: {0}")]
    AwsJoin(#[from] RulesError),
    /// TLS.
    #[error("{0}")]
    Tls(#[from] ServerTlsError),
    /// The description of the API that reflection serves.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Where things are remembered.
pub(super) struct Memory {
    pub(super) store: Arc<dyn Store>,
    pub(super) logs: Arc<LogHub>,
}

impl Memory {
    /// What is in the data folder, or new.
    fn open(settings: &Settings) -> Result<Self, StartError> {
        let store = SledStore::open(&settings.data_dir.join("store"), &SledOptions::default())?;
        let logs = LogFiles::open(&settings.data_dir.join("logs"))?;
        Ok(Self { store: Arc::new(store), logs: Arc::new(LogHub::new(Arc::new(logs))) })
    }
}

/// Starts a control plane. When this returns, it takes calls.
///
/// # Errors
/// When something that it needs can't be opened. Nothing is left running then.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    let file = |error| StartError::File { path: settings.data_dir.clone(), error };
    create_private_dir(&settings.data_dir).map_err(file)?;
    let memory = Memory::open(&settings)?;
    start_with(settings, memory, Arc::new(SystemClock::new())).await
}

/// The same on stores and a clock that the caller made.
pub(super) async fn start_with(settings: Settings, memory: Memory, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    let Memory { store, logs } = memory;
    let mut rng = StdRng::from_os_rng();
    let (api_listener, api_address) = listen(settings.api_listen).await?;
    let (delegate_listener, delegate_address) = listen(settings.delegate_listen).await?;
    let names = settings.certificate_names();
    let pki = settings.data_dir.join("pki");
    create_private_dir(&pki).map_err(|error| StartError::File { path: pki.clone(), error })?;
    let authorities = Arc::new(Authorities::open(&pki, clock.now_ms(), &mut rng)?);
    let trust = authorities.trust();
    let server = server_identity(&pki, &trust, &names, clock.now_ms(), &mut rng)?;
    let api_url = settings.url(api_address);
    let gateway_url = settings.url(delegate_address);

    let tokens = Arc::new(Tokens::load(store.clone()).await?);
    let context_file = settings.data_dir.join("admin-context.yaml");
    let first_start = tokens.is_empty();
    if first_start {
        let token = Tokens::draw(FIRST_ADMINISTRATOR, Uuid::now_v7(), clock.now_ms(), &mut rng);
        // The file first: a token that is kept and written nowhere would lock everybody out.
        context_file::write(&context_file, &api_url, &token.reveal(), &trust.bundle)
            .map_err(|error| StartError::File { path: context_file.clone(), error })?;
        tokens.keep(token).await?;
    }

    let tasks = Tasks::new(settings.shutdown.child_token());
    let identities =
        settings.aws_join.clone().map(|rules| AwsIdentities::new(rules, settings.sts_endpoint.clone())).transpose()?;
    let enrolment = Enrolment::new(store.clone(), authorities.clone(), settings.delegate_certificate_life, identities);
    let enrolment = Arc::new(enrolment);
    let roster = Roster::new(enrolment.delegates().await?);
    let dispatch = Dispatch::new(clock.clone(), tasks.clone(), Records::new(store.clone()), roster, settings.terms);
    let open = dispatch.recover().await?;
    tracing::info!(open, version = env!("CARGO_PKG_VERSION"), "the control plane is up");
    tasks.spawn_until_cancelled("lease pulse", dispatch.clone().keep_pulse());

    let (reporter, health) = health_reporter();
    tasks.spawn_until_cancelled("store health", report_health(reporter, store.clone()));

    let tls = Ports::new(&server, &trust)?;
    let (api_tls, delegate_tls) = (tls.api.clone(), tls.delegates.clone());
    let rotation = Rotation {
        authorities,
        enrolment: enrolment.clone(),
        dispatch: dispatch.clone(),
        folder: pki,
        names,
        ports: tls,
        clock: clock.clone(),
    };
    let context = Arc::new(ApiContext {
        dispatch: dispatch.clone(),
        catalogue: Catalogue::new(store.clone()),
        logs: logs.clone(),
        enrolment: enrolment.clone(),
        rotation: Arc::new(rotation),
        store,
        tasks: tasks.clone(),
        clock,
        gateway: gateway_url.clone(),
    });
    let accepting = accept(&tasks, "api", api_listener, api_tls, AcceptLimits::default());
    ports::serve_api(&tasks, accepting, &context, &Bearer::new(tokens), health)?;
    let accepting = accept(&tasks, "delegates", delegate_listener, delegate_tls, AcceptLimits::default());
    ports::serve_delegates(&tasks, accepting, Gateway::new(dispatch.clone(), enrolment, logs));
    let drain = settings.drain;
    Ok(Running { api_address, delegate_address, api_url, gateway_url, context_file, first_start, dispatch, tasks, drain })
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Says to load balancers and monitors whether new work is taken.
async fn report_health(reporter: HealthReporter, store: Arc<dyn Store>) {
    let mut ticks = tokio::time::interval(HEALTH_PERIOD);
    loop {
        ticks.tick().await;
        let status = match store.health() {
            StoreHealth::Writable => tonic_health::ServingStatus::Serving,
            StoreHealth::ReadOnly { .. } => tonic_health::ServingStatus::NotServing,
        };
        reporter.set_service_status("", status).await;
        reporter.set_service_status("segue.api.v1.Deployments", status).await;
    }
}
