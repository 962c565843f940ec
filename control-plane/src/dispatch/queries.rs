//! Questions on their way to a delegate and back. A question is not journaled: if it is lost, it is asked again by the person.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{
    discovery::{Answer, Query},
    failure::Failure,
    ids::{DelegateId, QueryId},
};
use proto::{convert::document::to_json, delegate::to_delegate::Message};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::sessions::Session;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The delegate looked and failed.
    #[error("{0}")]
    Failed(Failure),
    /// It did not answer in time.
    #[error("the delegate did not answer within {0:?}")]
    TimedOut(Duration),
    /// Its connection was lost.
    #[error("the connection to the delegate was lost")]
    Lost,
}

/// The questions that wait for an answer.
#[derive(Default)]
pub struct Queries {
    waiting: Arc<Mutex<HashMap<QueryId, Waiting>>>,
    drawn: AtomicU64,
}

struct Waiting {
    delegate: DelegateId,
    answer: oneshot::Sender<Result<Answer, Failure>>,
}

impl Queries {
    /// An id for a question of the control plane's own: of this moment and one higher than the last, so that no answer to a question
    /// from before a restart fits it.
    pub fn draw(&self, now_ms: i64) -> QueryId {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        QueryId::new(Uuid::from_u64_pair(now_ms.unsigned_abs(), number))
    }

    /// Puts a question to a delegate and waits.
    ///
    /// # Errors
    /// When it fails, is lost or does not answer within `limit`.
    pub async fn ask(&self, session: &Session, id: QueryId, query: &Query, limit: Duration) -> Result<Answer, QueryError> {
        let (answer, answered) = oneshot::channel();
        let _forget = self.expect(id, Waiting { delegate: session.delegate, answer });
        let timeout_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        session.send(Message::Query(proto::delegate::Query { query_id: id.to_string(), query_json: to_json(query), timeout_ms }));
        tokio::select! {
            biased;
            answer = answered => match answer {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(failure)) => Err(QueryError::Failed(failure)),
                Err(_) => Err(QueryError::Lost),
            },
            () = session.closed().cancelled() => Err(QueryError::Lost),
            () = tokio::time::sleep(limit) => Err(QueryError::TimedOut(limit)),
        }
    }

    /// An answer came. One that nobody waits for, or from a delegate that was not asked, is dropped.
    pub fn answer(&self, delegate: DelegateId, id: QueryId, answer: Result<Answer, Failure>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.get(&id).is_some_and(|asked| asked.delegate == delegate)
            && let Some(asked) = waiting.remove(&id)
        {
            // Whoever asked may have gone away in this moment.
            let _ = asked.answer.send(answer);
        }
    }

    fn expect(&self, id: QueryId, waiting: Waiting) -> Forget {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, waiting);
        Forget { waiting: self.waiting.clone(), id }
    }
}

/// Takes the question out when whoever asked stops waiting.
struct Forget {
    waiting: Arc<Mutex<HashMap<QueryId, Waiting>>>,
    id: QueryId,
}

impl Drop for Forget {
    fn drop(&mut self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
