//! Telling those who follow a log that there is more. Only how far it has come is told: what it is, they read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::ids::DeploymentId;
use tokio::sync::watch;

type Followed = HashMap<DeploymentId, watch::Sender<u64>>;

/// Who follows what.
#[derive(Clone, Default)]
pub(super) struct Newest {
    followed: Arc<Mutex<Followed>>,
}

impl Newest {
    pub(super) fn subscribe(&self, deployment: DeploymentId) -> Subscription {
        let receiver = self.lock().entry(deployment).or_default().subscribe();
        Subscription { newest: self.clone(), deployment, receiver }
    }

    /// Everything up to `seq` can be read.
    pub(super) fn tell(&self, deployment: DeploymentId, seq: u64) {
        if let Some(sender) = self.lock().get(&deployment) {
            sender.send_replace(seq);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Followed> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody's interest in a deployment's log. Ends when it is dropped.
pub struct Subscription {
    newest: Newest,
    deployment: DeploymentId,
    receiver: watch::Receiver<u64>,
}

impl Subscription {
    /// From here on, only what comes later counts as more.
    pub(super) fn mark_read(&mut self) {
        self.receiver.mark_unchanged();
    }

    /// Waits until there is more than when it was last marked.
    pub(super) async fn more(&mut self) {
        // The sender is in the map for as long as there is a subscription.
        let _ = self.receiver.changed().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut followed = self.newest.lock();
        // This one still counts.
        if followed.get(&self.deployment).is_some_and(|sender| sender.receiver_count() <= 1) {
            followed.remove(&self.deployment);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn a_subscription_hears_and_leaves_nothing_behind() {
        let (newest, id) = (Newest::default(), DeploymentId::new(Uuid::from_u128(1)));
        newest.tell(id, 1);
        let (mut one, two) = (newest.subscribe(id), newest.subscribe(id));
        one.mark_read();
        newest.tell(id, 2);
        one.more().await;
        drop(two);
        assert_eq!(newest.lock().len(), 1);
        drop(one);
        assert!(newest.lock().is_empty());
    }
}
