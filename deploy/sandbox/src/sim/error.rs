//! An error as AWS answers it; the wire form depends on the service's protocol.

/// What an operation answers when it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The error code on the wire.
    pub code: String,
    /// AWS's text.
    pub message: String,
}

impl ApiError {
    /// A client's error, HTTP 400.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.to_owned(), message: message.into() }
    }

    /// With another HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}
