//! Taking up a deployment that has ended and needs an operator: only while nobody else has the line, and nobody had it since.

use domain::signal::Signal;

use super::{driver::Driver, error::DispatchError, message::Reply};

impl Driver {
    /// A word that would take up a deployment that has ended: only while nobody else has the line, and nobody had it since.
    pub(super) async fn admit(&mut self, inputs: Vec<(engine::Input, Reply)>) -> Vec<(engine::Input, Reply)> {
        let Some(state) = self.state.as_ref().filter(|state| state.is_reopenable()) else { return inputs };
        if !inputs.iter().any(|(input, _)| is_retry(input)) {
            return inputs;
        }
        self.dispatch.queue.enter(&self.lane, self.id);
        let refusal = match self.dispatch.queue.ahead(&self.lane, self.id) {
            Some(by) => Some(DispatchError::LineMovedOn { id: self.id, by }),
            None => match self.dispatch.records.follower(state).await {
                Ok(by) => by.map(|by| DispatchError::LineMovedOn { id: self.id, by }),
                Err(error) => Some(self.failed(error)),
            },
        };
        let Some(refusal) = refusal else { return inputs };
        let (retries, others): (Vec<_>, Vec<_>) = inputs.into_iter().partition(|(input, _)| is_retry(input));
        for (_, reply) in retries {
            reply.give(Err(refusal.clone()), || self.view());
        }
        others
    }
}

fn is_retry(input: &engine::Input) -> bool {
    matches!(input, engine::Input::Signal { signal: Signal::Retry, .. })
}
