//! Exchanging the authority while everything runs: who is still waited for before the next phase, and what changes with it. Sessions that
//! are open go on; connections that are opened from then on show and trust what holds from then on.

use std::{path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use proto::delegate::{Renew, to_delegate};
use rand::{SeedableRng, rngs::StdRng};
use runtime::{
    clock::Clock,
    tls::{LiveServerConfig, ServerIdentity, ServerTlsError, server_config},
};

use super::pki::{PkiError, server_identity};
use crate::{
    access::{Authorities, AuthoritiesError, Enrolment, Phase, Trust},
    dispatch::{Dispatch, EnrolledDelegate},
};

/// Why the exchange does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// Somebody would be left behind.
    #[error("not every delegate is ready for the next phase:\n{}", .0.join("\n"))]
    Waiting(Vec<String>),
    /// It can't be made or written.
    #[error("{0}")]
    Authorities(#[from] AuthoritiesError),
    /// The server's certificate.
    #[error("{0}")]
    Pki(#[from] PkiError),
    /// TLS refuses it.
    #[error("{0}")]
    Tls(#[from] ServerTlsError),
}

/// The two ports' TLS, exchanged while they listen.
pub(super) struct Ports {
    pub(super) api: LiveServerConfig,
    pub(super) delegates: LiveServerConfig,
}

impl Ports {
    /// TLS that shows this certificate and lets in delegates of these authorities.
    ///
    /// # Errors
    /// When TLS refuses one of them.
    pub(super) fn new(server: &ServerIdentity, trust: &Trust) -> Result<Self, ServerTlsError> {
        let (api, delegates) = (server_config(server, None)?, server_config(server, Some(&trust.bundle))?);
        Ok(Self { api: Arc::new(ArcSwap::from_pointee(api)), delegates: Arc::new(ArcSwap::from_pointee(delegates)) })
    }
}

/// The exchange.
pub struct Rotation {
    pub(super) authorities: Arc<Authorities>,
    pub(super) enrolment: Arc<Enrolment>,
    pub(super) dispatch: Arc<Dispatch>,
    pub(super) folder: PathBuf,
    pub(super) names: Vec<String>,
    pub(super) ports: Ports,
    pub(super) clock: Arc<dyn Clock>,
}

impl Rotation {
    /// Who signs and who is trusted now.
    pub fn trust(&self) -> Arc<Trust> {
        self.authorities.trust()
    }

    /// The delegates that are not ready for the next phase, a sentence each. A delegate whose certificate has ended has to join again
    /// anyway and is not waited for.
    pub fn waiting(&self) -> Vec<String> {
        if self.trust().phase == Phase::Settled {
            return Vec::new();
        }
        let now_ms = self.clock.now_ms();
        let mut standing = self.dispatch.roster.standing();
        standing.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        let awaited = standing.iter().filter(|delegate| delegate.certificate_ends_ms > now_ms);
        awaited.filter_map(|delegate| Some(format!("{} ({}) {}", delegate.name, delegate.id, self.lags(delegate)?))).collect()
    }

    /// Why a delegate is not ready; none: it is.
    fn lags(&self, delegate: &EnrolledDelegate) -> Option<&'static str> {
        match self.dispatch.sessions.of(delegate.id) {
            Some(session) if self.enrolment.is_up_to_date(delegate) && session.certificate() == delegate.serial => None,
            Some(_) if self.enrolment.is_up_to_date(delegate) => Some("has not said yet that it keeps its new certificate"),
            Some(_) => Some("has not fetched its new certificate yet"),
            // It fetches what is missing when it comes back, as long as whom it trusts is still shown to it.
            None => Some("is not connected"),
        }
    }

    /// Goes on to the next phase, and gives what holds then. Unless `force` is set, only if nobody is left behind.
    ///
    /// # Errors
    /// When somebody would be left behind, or the next phase can't be made or written: then everything is as it was.
    pub fn advance(&self, force: bool) -> Result<Arc<Trust>, RotationError> {
        let from = self.trust().id.clone();
        let waiting = self.waiting();
        if !force && !waiting.is_empty() {
            return Err(RotationError::Waiting(waiting));
        }
        let (now_ms, mut rng) = (self.clock.now_ms(), StdRng::from_os_rng());
        let mut signing = StdRng::from_os_rng();
        let prepared = self.authorities.advance(&from, now_ms, &mut rng, |trust| {
            // A certificate that was written for a phase that did not come is made anew at the next start.
            let server = server_identity(&self.folder, trust, &self.names, now_ms, &mut signing)?;
            Ok::<_, RotationError>(Ports::new(&server, trust)?)
        })?;
        let Some(ports) = prepared else { return Ok(self.trust()) };
        // The phase is durable. Were the process killed here, the next start would show and trust the same.
        self.ports.api.store(ports.api.load_full());
        self.ports.delegates.store(ports.delegates.load_full());
        for session in self.dispatch.sessions.all() {
            session.send(to_delegate::Message::Renew(Renew {}));
        }
        Ok(self.trust())
    }
}
