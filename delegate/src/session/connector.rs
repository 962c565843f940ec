//! Reaching the control plane with the identity of this moment: a renewed certificate is shown from the next connection on.

use std::{error::Error, fmt::Write, sync::Arc};

use arc_swap::ArcSwap;
use runtime::tls::{self, ClientError};
use tokio::sync::Notify;
use tonic::transport::Endpoint;

use crate::enrol::Identity;

/// Makes endpoints for the control plane.
#[derive(Clone)]
pub struct Connector {
    control_plane: Arc<str>,
    identity: Arc<ArcSwap<Identity>>,
    renewal: Arc<Notify>,
}

impl Connector {
    /// Reaches `control_plane` (`https://host:port`) as `identity`.
    pub fn new(control_plane: &str, identity: Arc<ArcSwap<Identity>>) -> Self {
        Self { control_plane: control_plane.into(), identity, renewal: Arc::default() }
    }

    /// An endpoint that shows the certificate of now and trusts the authorities of now.
    ///
    /// # Errors
    /// When the address or the identity's documents are not what they must be.
    pub fn endpoint(&self) -> Result<Endpoint, ClientError> {
        let identity = self.identity.load();
        tls::endpoint(&self.control_plane, &identity.authorities, Some(&identity.for_tls()))
    }

    /// Serial number (hexadecimal) of the certificate of now; empty if it can't be read, which joining and renewing have ruled out.
    pub fn serial(&self) -> String {
        self.identity.load().serial().unwrap_or_default()
    }

    /// Asks for a renewal now, whatever the certificate's age.
    pub fn ask_for_renewal(&self) {
        self.renewal.notify_one();
    }

    /// Resolves when a renewal was asked for.
    pub async fn renewal_asked(&self) {
        self.renewal.notified().await;
    }

    /// Whoever asked up to now gets what he asked for.
    pub fn forget_asked(&self) {
        let mut asked = std::pin::pin!(self.renewal.notified());
        // Takes the permit that is stored, if there is one; dropped at once otherwise.
        asked.as_mut().enable();
    }
}

/// An error with everything below it: transports say the interesting part last.
pub fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        // Writing into a string can't fail.
        let _ = write!(text, ": {error}");
        below = error.source();
    }
    text
}
