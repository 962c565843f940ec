//! What can go wrong in the CLI: what the server said, or what never reached it.

use domain::error::{Error, ErrorCode};
use proto::convert::Malformed;
use tonic::Status;

/// The metadata keys that the server's errors bear.
const CODE_KEY: &str = "segue-code";
const HINT_KEY: &str = "segue-hint";

/// A gRPC status as the error that it stands for.
pub fn of_status(status: &Status) -> Error {
    let text = |key: &str| status.metadata().get(key).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let code = text(CODE_KEY).and_then(|code| ErrorCode::parse(&code)).unwrap_or_else(|| match status.code() {
        tonic::Code::Unauthenticated => ErrorCode::Unauthenticated,
        tonic::Code::PermissionDenied => ErrorCode::Forbidden,
        tonic::Code::NotFound => ErrorCode::NotFound,
        tonic::Code::InvalidArgument => ErrorCode::Invalid,
        tonic::Code::DeadlineExceeded => ErrorCode::TimedOut,
        tonic::Code::Unavailable | tonic::Code::Unknown | tonic::Code::Cancelled => ErrorCode::Unavailable,
        _ => ErrorCode::Internal,
    });
    Error { code, message: status.message().to_owned(), hint: text(HINT_KEY) }
}

/// Whether asking again may help: the server is away or restarting.
pub fn is_passing(error: &Error) -> bool {
    matches!(error.code, ErrorCode::Unavailable)
}

/// An answer that this version can't read.
pub fn unreadable(malformed: &Malformed) -> Error {
    Error::new(ErrorCode::Internal, format!("the server's answer can't be read: {malformed}"))
        .hint("The CLI and the control plane may be of different versions: compare `segue version` with the server's.")
}

/// A file or folder.
pub fn file(path: &std::path::Path, error: &std::io::Error) -> Error {
    Error::new(ErrorCode::Invalid, format!("{}: {error}", path.display()))
}
