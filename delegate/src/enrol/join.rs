//! Joining: a one-time token or a proof of our AWS identity, and a request for a certificate over a key made here, traded for the
//! delegate's identity.

use std::{path::PathBuf, time::Duration};

use proto::delegate::{EnrollRequest, EnrollResponse, delegate_gateway_client::DelegateGatewayClient};
use runtime::{
    backoff::Backoff,
    clock::Clock,
    tls::{self, AuthorityError, ClientError},
};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::{
    Identity,
    aws_identity::{ProofError, prove},
    identity::InvalidIdentity,
};
use crate::{
    session::describe,
    settings::{JOIN_TOKEN_VARIABLE, Settings, machine_name},
};

/// How long one try to join may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Why the delegate could not join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// It has no identity and no token.
    #[error(
        "this delegate has not joined a control plane yet and has no join token: make one with `segue delegate token create` and \
         give it in a file (--join-token-file) or in the environment variable {JOIN_TOKEN_VARIABLE}, or let it join by its AWS identity \
         (--join-by-aws)"
    )]
    NoToken,
    /// It does not know whom to trust.
    #[error(
        "to join, the delegate needs the control plane's authorities: give the file that `segue delegate token create` tells of \
         (--authorities)"
    )]
    NoAuthorities,
    /// A file can't be read.
    #[error("{} can't be read: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The control plane does not take the token.
    #[error(
        "the control plane refused the join token ({0}): a token is good for one delegate and a short time. Make a new one with \
         `segue delegate token create`"
    )]
    Refused(String),
    /// The control plane does not take the AWS identity.
    #[error(
        "the control plane refused this delegate's AWS identity ({0}): the rules it was started with (segue server --aws-join) say who \
         may join"
    )]
    Stranger(String),
    /// The AWS identity can't be proved.
    #[error("this delegate can't join by its AWS identity: {0}")]
    Proof(#[from] ProofError),
    /// The control plane does not take the request.
    #[error("the control plane refused to enrol this delegate: {0}")]
    Request(String),
    /// The control plane's answer is not what it must be.
    #[error(transparent)]
    Answer(#[from] InvalidIdentity),
    /// The key or the request could not be made.
    #[error("the delegate's key: {0}")]
    Key(#[from] AuthorityError),
    /// The address or the authorities can't be used.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The process was asked to stop before the control plane could be reached.
    #[error("stopped before the control plane could be reached")]
    Stopped,
}

/// Joins. Goes on trying while the control plane can't be reached.
///
/// # Errors
/// When the token is refused, missing or unreadable, or `stop` is cancelled.
pub async fn join(settings: &Settings, clock: &dyn Clock, stop: &CancellationToken) -> Result<Identity, JoinError> {
    let token = if settings.join_by_aws { None } else { Some(token(settings)?) };
    let path = settings.authorities.clone().ok_or(JoinError::NoAuthorities)?;
    let authorities = std::fs::read_to_string(&path).map_err(|error| JoinError::File { path, error })?;
    let endpoint = tls::endpoint(&settings.control_plane, &authorities, None)?;
    let key = tls::new_key()?;
    let name = settings.name.clone().unwrap_or_else(machine_name);
    let certificate_request = tls::request(&key)?;
    let mut backoff = Backoff::reconnect();
    loop {
        // Signed anew each time: a signature is good for 15 minutes.
        let aws_identity = match &token {
            Some(_) => None,
            None => Some(prove(&certificate_request, &authorities, clock).await?),
        };
        let request = EnrollRequest {
            join_token: token.as_ref().map(|token| token.expose_secret().to_owned()).unwrap_or_default(),
            certificate_request: certificate_request.clone(),
            name: name.clone(),
            aws_identity,
        };
        let tried = async {
            let channel = tls::connect(&endpoint).await.map_err(|error| Status::unavailable(describe(&error)))?;
            DelegateGatewayClient::new(channel).enroll(request).await
        };
        let answer = tokio::select! {
            answer = tokio::time::timeout(LIMIT, tried) => answer,
            () = stop.cancelled() => return Err(JoinError::Stopped),
        };
        match answer {
            Ok(Ok(response)) => return identity(response.into_inner(), key, clock.now_ms()),
            Ok(Err(status)) => match status.code() {
                Code::Unauthenticated | Code::PermissionDenied | Code::NotFound | Code::FailedPrecondition => {
                    let message = status.message().to_owned();
                    return Err(if token.is_some() { JoinError::Refused(message) } else { JoinError::Stranger(message) });
                }
                Code::InvalidArgument | Code::Unimplemented | Code::AlreadyExists | Code::OutOfRange => {
                    return Err(JoinError::Request(status.message().to_owned()));
                }
                _ => tracing::warn!(error = %status.message(), "cannot join yet; trying again"),
            },
            Err(_) => tracing::warn!("the control plane does not answer; trying again"),
        }
        let delay = backoff.next_delay(&mut rand::rng());
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = stop.cancelled() => return Err(JoinError::Stopped),
        }
    }
}

/// The token: from the file if one is named, else from the environment.
fn token(settings: &Settings) -> Result<SecretString, JoinError> {
    if let Some(path) = &settings.join_token_file {
        let text = std::fs::read_to_string(path).map_err(|error| JoinError::File { path: path.clone(), error })?;
        return Ok(SecretString::from(text.trim()));
    }
    settings.join_token.clone().ok_or(JoinError::NoToken)
}

fn identity(response: EnrollResponse, key: String, now_ms: i64) -> Result<Identity, JoinError> {
    let identity = Identity {
        delegate_id: response.delegate_id.parse().map_err(InvalidIdentity::from)?,
        certificate: response.certificate,
        key,
        authorities: response.authorities,
        issued_at_ms: now_ms,
    };
    identity.ends_ms()?;
    Ok(identity)
}
