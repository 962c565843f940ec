//! What AWS says when it does not do what it was asked to.

use domain::failure::{Effect, Failure, FailureKind, PeerAnswer};

fn answer(operation: &str, code: &str, message: &str) -> Option<Box<PeerAnswer>> {
    Some(Box::new(PeerAnswer {
        operation: operation.into(),
        code: Some(code.into()),
        message: Some(message.into()),
        request_id: None,
    }))
}

pub(super) fn throttled(operation: &str) -> Failure {
    let failure = Failure::refused(FailureKind::Connectivity, format!("{operation}: AWS is throttling."));
    Failure { transient: true, answer: answer(operation, "ThrottlingException", "Rate exceeded"), ..failure }
}

pub(super) fn faulty(operation: &str, effect: Effect) -> Failure {
    let failure = Failure::refused(FailureKind::Connectivity, format!("{operation}: HTTP status 500 from AWS."));
    Failure { effect, transient: true, answer: answer(operation, "ServerException", "Service Unavailable"), ..failure }
}

pub(super) fn lost(operation: &str, effect: Effect) -> Failure {
    Failure {
        effect,
        transient: true,
        ..Failure::refused(FailureKind::Connectivity, format!("{operation}: no answer from AWS."))
    }
}

pub(super) fn refused(operation: &str, code: &str, message: &str) -> Failure {
    let failure = Failure::refused(FailureKind::Application, format!("{operation}: {code}: {message}"));
    Failure { answer: answer(operation, code, message), ..failure }
}
