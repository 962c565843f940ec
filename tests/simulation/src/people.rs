//! The people: they deploy, look how it goes, and say what they want, to whatever control plane answers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use control_plane::dispatch::{AcceptKey, Dispatch, DispatchError};
use domain::{deployment::DeploymentStatus, outcome::Outcome, signal::Signal};
use runtime::tasks::Tasks;
use tokio::sync::watch;

use crate::{deployments::Wanted, trace::Trace, world::lock};

/// How long a person waits for an answer before asking again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a person looks how a deployment stands.
const LOOK: Duration = Duration::from_secs(2);

/// Whoever answers people now.
type Answering = Arc<Mutex<Option<Arc<Dispatch>>>>;

/// A deployment as the people see it.
#[derive(Clone)]
pub(crate) struct Deployment {
    pub(crate) wanted: Wanted,
    pub(crate) seen: Arc<Mutex<Option<Outcome>>>,
}

/// The people.
pub(crate) struct People {
    trace: Arc<Trace>,
    /// The world's: nobody stops them.
    tasks: Tasks,
    answering: Answering,
    deployments: BTreeMap<usize, Deployment>,
    /// Whose deployment is accepted next.
    turn: watch::Sender<usize>,
}

impl People {
    pub(crate) fn new(trace: Arc<Trace>, tasks: Tasks) -> Self {
        Self { trace, tasks, answering: Arc::default(), deployments: BTreeMap::new(), turn: watch::Sender::new(0) }
    }

    /// Who answers them from now on, if anybody does.
    pub(crate) fn ask(&self, dispatch: Option<Arc<Dispatch>>) {
        *lock(&self.answering) = dispatch;
    }

    /// The deployments and how they ended, as far as they have.
    pub(crate) fn deployments(&self) -> Vec<Deployment> {
        self.deployments.values().cloned().collect()
    }

    /// A person deploys, asks again until there is an answer, and then looks how it goes.
    pub(crate) fn deploy(&mut self, wanted: Wanted) {
        let (trace, answering, turn) = (self.trace.clone(), self.answering.clone(), self.turn.clone());
        let seen = Arc::new(Mutex::new(None));
        let deployment = Deployment { wanted: wanted.clone(), seen: seen.clone() };
        self.deployments.insert(wanted.number, deployment);
        self.tasks.spawn("person", async move {
            let (id, key) = (wanted.id(), AcceptKey::new("alice", &wanted.number.to_string()));
            // One after the other, in the order of their ids.
            let _ = turn.subscribe().wait_for(|turn| *turn == wanted.number).await;
            loop {
                let Some(dispatch) = current(&answering).await else { continue };
                let accepted = tokio::time::timeout(PATIENCE, dispatch.accept(wanted.plan(), Some(key.clone()))).await;
                if let Ok(Ok(id)) = accepted {
                    trace.say("alice", format!("{id} is accepted: {} {}", wanted.line_name(), wanted.tag));
                    turn.send_replace(wanted.number + 1);
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
            let mut last = String::new();
            loop {
                tokio::time::sleep(LOOK).await;
                let Some(dispatch) = current(&answering).await else { continue };
                let status = match tokio::time::timeout(PATIENCE, dispatch.view(id)).await {
                    Ok(Ok(view)) => view.status,
                    Ok(Err(error @ (DispatchError::NotFound(_) | DispatchError::Corrupt { .. }))) => {
                        return trace.violated(format!("{id} was accepted and now: {error}"));
                    }
                    Ok(Err(_)) | Err(_) => continue,
                };
                let told = match &status {
                    DeploymentStatus::WaitingForDelegate { .. } => "waits for a delegate".to_owned(),
                    status => format!("{status:?}"),
                };
                if told != last {
                    trace.say("alice", format!("sees {id}: {told}"));
                    last = told;
                }
                match status {
                    DeploymentStatus::Finished { outcome } => *lock(&seen) = Some(outcome),
                    _ => *lock(&seen) = None,
                }
            }
        });
    }

    /// A person says something, once.
    pub(crate) fn say(&self, number: usize, signal: Signal) {
        let Some(deployment) = self.deployments.get(&number) else { return };
        let (trace, answering, id) = (self.trace.clone(), self.answering.clone(), deployment.wanted.id());
        self.tasks.spawn("signal", async move {
            let Some(dispatch) = current(&answering).await else { return };
            let said = tokio::time::timeout(PATIENCE, dispatch.signal(id, "bob".into(), signal, None, None)).await;
            let became = match said {
                Ok(Ok(_)) => "taken".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer".to_owned(),
            };
            trace.say("bob", format!("{signal} to {id}: {became}"));
        });
    }
}

/// Whoever answers now; a moment later if nobody does.
async fn current(answering: &Answering) -> Option<Arc<Dispatch>> {
    let now = lock(answering).clone();
    if now.is_none() {
        tokio::time::sleep(LOOK).await;
    }
    now
}
