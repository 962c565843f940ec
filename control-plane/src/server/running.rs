//! A control plane that runs, and how it ends.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use runtime::tasks::{Late, Tasks};

use crate::dispatch::Dispatch;

/// How a control plane ended otherwise than well.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// A part of it failed in a way that it must not go on from; nothing that was accepted is lost.
    #[error("the control plane stopped because a part of it failed: see the log")]
    Panicked,
    /// Not everything had ended when the time for it was over.
    #[error("{0}")]
    Late(#[from] Late),
}

/// A control plane that runs.
pub struct Running {
    /// Where people and programs connect.
    pub api_address: SocketAddr,
    /// Where delegates connect.
    pub delegate_address: SocketAddr,
    /// The first, as others write it: `https://host:port`.
    pub api_url: String,
    /// The second.
    pub gateway_url: String,
    /// The first administrator's context, for the CLI.
    pub context_file: PathBuf,
    /// Whether this start made the certificates and the first token.
    pub first_start: bool,
    pub(super) dispatch: Arc<Dispatch>,
    pub(super) tasks: Tasks,
    pub(super) drain: Duration,
}

impl Running {
    /// What a person does next after the first start, in lines.
    pub fn next_steps(&self) -> Vec<String> {
        let context = self.context_file.display();
        vec![
            format!("The control plane listens on {} (people, programs) and {} (delegates).", self.api_url, self.gateway_url),
            format!("The first administrator's context, with a token in it, is in {context}."),
            String::new(),
            format!("Use it:             export SEGUE_CONTEXT={context}"),
            "Let a delegate join: segue delegate token create".to_owned(),
            "Bring documents:     segue apply -f FILE".to_owned(),
            "Deploy:              segue deploy WORKFLOW --artifact-tag TAG".to_owned(),
        ]
    }

    /// Its deployments and delegates, for whoever runs it in the same process.
    pub fn dispatch(&self) -> &Arc<Dispatch> {
        &self.dispatch
    }

    /// Waits for the reason to stop, then for everything to end.
    ///
    /// # Errors
    /// When a part of it failed, or not everything ended in time.
    pub async fn stopped(self) -> Result<(), Stopped> {
        let panicked = tokio::select! {
            () = self.tasks.token().cancelled() => false,
            () = self.tasks.panicked() => true,
        };
        let drained = self.tasks.drain(self.drain).await;
        match (panicked, drained) {
            (true, _) => Err(Stopped::Panicked),
            (false, drained) => Ok(drained?),
        }
    }
}
