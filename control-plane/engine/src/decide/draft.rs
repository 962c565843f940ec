//! A batch of events in the making, with the state as it will be after them.

use crate::{event::Event, follow_up::follow_up, state::Deployment};

/// A batch in the making.
pub(super) struct Draft {
    deployment: Deployment,
    events: Vec<Event>,
    pub(super) now_ms: i64,
}

impl Draft {
    /// Begins with what the state still owes, so that an input always meets a settled state.
    pub(super) fn new(deployment: &Deployment, now_ms: i64) -> Self {
        let mut draft = Self { deployment: deployment.clone(), events: Vec::new(), now_ms };
        draft.settle();
        draft
    }

    pub(super) fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    pub(super) fn record(&mut self, event: Event) {
        // The deciders look before they record: an event that does not fit is a mistake in one of them, and must not be journaled.
        match self.deployment.apply(&event) {
            Ok(()) => self.events.push(event),
            Err(misfit) => debug_assert!(false, "{misfit}"),
        }
    }

    fn settle(&mut self) {
        while let Some(event) = follow_up(&self.deployment, self.now_ms) {
            let before = self.events.len();
            self.record(event);
            if self.events.len() == before {
                break;
            }
        }
    }

    /// The whole batch, after which the state owes nothing.
    pub(super) fn settled(mut self) -> Vec<Event> {
        self.settle();
        self.events
    }
}
