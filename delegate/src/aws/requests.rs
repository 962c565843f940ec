//! The ids of the latest AWS requests of an attempt, by operation. AWS's support asks for them; whoever looks into a failure later
//! has no other way to them.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use domain::failure::AwsRequest;

type Latest = Arc<Mutex<BTreeMap<String, String>>>;

tokio::task_local! {
    static LATEST: Latest;
}

/// Runs one attempt, whose requests are kept apart from those of others.
pub async fn kept<F: Future>(attempt: F) -> F::Output {
    LATEST.scope(Latest::default(), attempt).await
}

/// Remembers an answered request of this attempt; outside one it is nobody's.
pub(super) fn answered(operation: String, request_id: String) {
    // Only a request outside any attempt has no place: a question about what there is in AWS.
    let _ = LATEST.try_with(|latest| latest.lock().unwrap_or_else(PoisonError::into_inner).insert(operation, request_id));
}

/// The latest request of each operation.
pub fn latest() -> Vec<AwsRequest> {
    let read = |latest: &Latest| {
        let latest = latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.iter().map(|(operation, id)| AwsRequest { operation: operation.clone(), request_id: id.clone() }).collect()
    };
    LATEST.try_with(read).unwrap_or_default()
}
