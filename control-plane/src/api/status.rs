//! The one place where errors of the control plane become gRPC statuses. The status says the class, the metadata `segue-code` the
//! code of the closed list, `segue-hint` what to do.

use domain::error::{Error, ErrorCode};
use engine::Rejection;
use proto::convert::Malformed;
use tonic::{Code, Status, metadata::MetadataValue};

use super::catalogue::CatalogueError;
use crate::{
    access::{AccessError, EnrolError, IdentityRefused},
    dispatch::{DispatchError, NoRollback, NotOne, QueryError},
    logs::LogError,
    server::RotationError,
    store::StoreError,
};

/// The metadata key of the code.
pub const CODE_KEY: &str = "segue-code";
/// The metadata key of the hint. Line breaks in a hint become spaces, other characters that metadata can't hold `?`.
pub const HINT_KEY: &str = "segue-hint";

/// An error as a gRPC status.
pub fn status(error: &Error) -> Status {
    let code = match error.code {
        ErrorCode::Invalid => Code::InvalidArgument,
        ErrorCode::NotFound => Code::NotFound,
        ErrorCode::Conflict => Code::AlreadyExists,
        ErrorCode::Refused => Code::FailedPrecondition,
        ErrorCode::Unauthenticated => Code::Unauthenticated,
        ErrorCode::Forbidden => Code::PermissionDenied,
        ErrorCode::Unavailable => Code::Unavailable,
        ErrorCode::TimedOut => Code::DeadlineExceeded,
        ErrorCode::Exhausted => Code::ResourceExhausted,
        ErrorCode::Internal => Code::Internal,
    };
    let mut status = Status::new(code, error.message.clone());
    status.metadata_mut().insert(CODE_KEY, MetadataValue::from_static(error.code.as_str()));
    if let Some(hint) = error.hint.as_deref().and_then(|hint| MetadataValue::try_from(ascii(hint)).ok()) {
        status.metadata_mut().insert(HINT_KEY, hint);
    }
    status
}

fn ascii(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

/// A request that can't be understood.
pub fn malformed(malformed: &Malformed) -> Status {
    status(&Error::new(ErrorCode::Invalid, malformed.to_string()))
}

/// Dispatch refuses or fails.
pub fn dispatch(error: &DispatchError) -> Status {
    let code = match error {
        DispatchError::NotFound(_) => ErrorCode::NotFound,
        DispatchError::Rejected(Rejection::InvalidPlan(_)) => ErrorCode::Invalid,
        DispatchError::NoRollback(NoRollback::Ambiguous(_)) => ErrorCode::Invalid,
        DispatchError::NoRollback(NoRollback::NothingSucceeded) => ErrorCode::NotFound,
        DispatchError::Rejected(_) | DispatchError::Ended(..) => ErrorCode::Refused,
        DispatchError::LineMovedOn { .. } | DispatchError::NoRollback(_) => ErrorCode::Refused,
        DispatchError::Unavailable(_) | DispatchError::Busy => ErrorCode::Unavailable,
        DispatchError::AcceptedBefore(_) => ErrorCode::Conflict,
        DispatchError::Corrupt { .. } => ErrorCode::Internal,
        DispatchError::TooLarge(_) => ErrorCode::Exhausted,
    };
    if code == ErrorCode::Internal {
        tracing::error!(%error, "a request failed for a fault of our own");
    }
    let hint = match error {
        DispatchError::NoRollback(reason) => Some(reason.hint()),
        _ => None,
    };
    status(&Error { code, message: error.to_string(), hint })
}

/// A question to a delegate has no answer.
pub fn query(error: &QueryError) -> Status {
    let (code, hint) = match error {
        QueryError::Failed(failure) => (ErrorCode::Refused, failure.hint.clone()),
        QueryError::TimedOut(_) => (ErrorCode::TimedOut, Some("Ask again; look at the delegate's log.".to_owned())),
        QueryError::Lost => (ErrorCode::Unavailable, Some("Ask again.".to_owned())),
    };
    let mut message = error.to_string();
    if let QueryError::Failed(failure) = error
        && let Some(answer) = &failure.answer
    {
        message = format!("{message}\n{answer}");
    }
    status(&Error { code, message, hint })
}

/// Documents can't be read or kept.
pub fn catalogue(error: &CatalogueError) -> Status {
    let code = match error {
        CatalogueError::TooLarge(_) | CatalogueError::Store(StoreError::TooLarge { .. }) => ErrorCode::Exhausted,
        CatalogueError::NotFound(_) => ErrorCode::NotFound,
        CatalogueError::Findings(_) => ErrorCode::Invalid,
        CatalogueError::Store(_) => ErrorCode::Unavailable,
    };
    status(&Error::new(code, error.to_string()))
}

/// A log can't be read.
pub fn logs(error: &LogError) -> Status {
    let code = match error {
        LogError::Unavailable { .. } => ErrorCode::Unavailable,
        LogError::Malformed { .. } | LogError::Corrupt { .. } => ErrorCode::Internal,
    };
    status(&Error::new(code, error.to_string()))
}

/// Tokens can't be looked up or made.
pub fn access(error: &AccessError) -> Status {
    status(&Error::new(ErrorCode::Unavailable, error.to_string()))
}

/// A delegate that a person named can't be told.
pub fn not_one(error: &NotOne) -> Status {
    let (code, hint) = match error {
        NotOne::None(_) => (ErrorCode::NotFound, "All of them: segue delegate list"),
        NotOne::Several { .. } => (ErrorCode::Invalid, "Name it by its id."),
    };
    status(&Error::new(code, error.to_string()).hint(hint))
}

/// A delegate can't join or renew.
pub fn enrol(error: &EnrolError) -> Status {
    let code = match error {
        EnrolError::Token => ErrorCode::Unauthenticated,
        EnrolError::Used | EnrolError::Expired => ErrorCode::Forbidden,
        EnrolError::Name | EnrolError::Request(_) => ErrorCode::Invalid,
        EnrolError::Unknown | EnrolError::Revoked => ErrorCode::Forbidden,
        EnrolError::Identity(IdentityRefused::Claim(_) | IdentityRefused::Forged(_)) => ErrorCode::Unauthenticated,
        EnrolError::Identity(IdentityRefused::Off | IdentityRefused::Stranger(_)) => ErrorCode::Forbidden,
        EnrolError::Identity(IdentityRefused::Rules(_) | IdentityRefused::Unavailable(_)) => ErrorCode::Unavailable,
        EnrolError::Unavailable(_) => ErrorCode::Unavailable,
    };
    let hint = match error {
        EnrolError::Token | EnrolError::Used | EnrolError::Expired => Some("Make a new token with: segue delegate token create"),
        _ => None,
    };
    status(&Error { code, message: error.to_string(), hint: hint.map(str::to_owned) })
}

/// Why an exchange of the authority does not go on.
pub fn rotation(error: &RotationError) -> Status {
    let (code, hint) = match error {
        RotationError::Waiting(_) => (
            ErrorCode::Refused,
            Some("Wait for them, or revoke those that are gone. With --force they are left behind and have to join again."),
        ),
        RotationError::Authorities(_) | RotationError::Pki(_) | RotationError::Tls(_) => (ErrorCode::Internal, None),
    };
    status(&Error { code, message: error.to_string(), hint: hint.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_class_and_can_be_read_back() {
        for code in ErrorCode::ALL {
            let status = status(&Error::new(code, "m").hint("do\nthis: \u{fc}"));
            let read = |key| status.metadata().get(key).and_then(|value| value.to_str().ok()).expect("is there");
            assert_eq!((ErrorCode::parse(read(CODE_KEY)), read(HINT_KEY)), (Some(code), "do this: ?"));
            assert_ne!(status.code(), Code::Ok);
        }
    }
}
