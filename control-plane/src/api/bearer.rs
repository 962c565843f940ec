//! The door: no call of the API without a token that is known. Who is refused leaves a line in the log.

use std::sync::Arc;

use domain::error::{Error, ErrorCode};
use runtime::tls::Peer;
use tonic::{Request, Status, service::Interceptor};

use super::status;
use crate::access::{Caller, Tokens};

/// Lets a call pass if it bears a token, and says whose it is.
#[derive(Clone)]
pub struct Bearer {
    tokens: Arc<Tokens>,
}

impl Bearer {
    /// A door that these tokens open.
    pub fn new(tokens: Arc<Tokens>) -> Self {
        Self { tokens }
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let header = request.metadata().get("authorization");
        let token = header.and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
        match token.and_then(|token| self.tokens.caller(token)) {
            Some(caller) => {
                request.extensions_mut().insert(caller);
                Ok(request)
            }
            None => {
                let peer = request.extensions().get::<Peer>().map(|peer| peer.address.to_string());
                let given = if header.is_some() { "a wrong token" } else { "no token" };
                tracing::warn!(target: "audit", peer = peer.as_deref().unwrap_or("unknown"), given, "a call was refused");
                let error = Error::new(ErrorCode::Unauthenticated, format!("the call bears {given}"));
                Err(status::status(&error.hint("Choose a context with a token of this server: segue context use NAME")))
            }
        }
    }
}

/// Who calls. Only calls that passed [`Bearer`] reach a handler.
pub(super) fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or_else(|| status::status(&Error::new(ErrorCode::Unauthenticated, "the call bears no token")))
}
