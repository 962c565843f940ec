//! Renewing the certificate after two thirds of its life, with a new key, over mTLS with the old one. A session that is open goes
//! on; the next connection shows the new certificate. Before its time it is renewed when the control plane asks for it: its authorities
//! have changed then.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use proto::delegate::{RenewRequest, delegate_gateway_client::DelegateGatewayClient};
use rand::Rng;
use runtime::{backoff::Backoff, clock::Clock, tls};

use super::{Identity, StateDir, identity::InvalidIdentity, state::StateError};
use crate::session::{Connector, describe};

/// The clock is looked at again at least so often: a machine that was suspended must not sleep on.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// How long one try may take.
const LIMIT: Duration = Duration::from_secs(20);
/// All delegates are asked at once: they come one after another within this time.
const SPREAD: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
enum RenewalError {
    #[error("{0}")]
    Key(#[from] tls::AuthorityError),
    #[error("{0}")]
    Client(#[from] tls::ClientError),
    #[error("{}", describe(.0))]
    Transport(#[from] tonic::transport::Error),
    #[error("{}", .0.message())]
    Refused(#[from] tonic::Status),
    #[error("no answer in time")]
    Silent(#[from] tokio::time::error::Elapsed),
    #[error("{0}")]
    Answer(#[from] InvalidIdentity),
    #[error("{0}")]
    State(#[from] StateError),
}

/// Renews for ever.
pub async fn keep_fresh(connector: Connector, identity: Arc<ArcSwap<Identity>>, state: Arc<StateDir>, clock: Arc<dyn Clock>) {
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
    let mut asked = false;
    loop {
        let due_ms = match identity.load().renewal_due_ms() {
            Ok(due_ms) => due_ms,
            Err(error) => return tracing::error!(%error, "the certificate can't be renewed"),
        };
        let wait = Duration::from_millis(u64::try_from(due_ms - clock.now_ms()).unwrap_or(0));
        if !wait.is_zero() && !asked {
            tokio::select! {
                () = connector.renewal_asked() => {
                    asked = true;
                    let share = rand::rng().random_range(0.0..1.0);
                    tokio::time::sleep(SPREAD.mul_f64(share)).await;
                }
                () = tokio::time::sleep(wait.min(LONGEST_SLEEP)) => {}
            }
            continue;
        }
        // What was asked up to here is answered by this renewal: asked once by a session that ended and once by the next is one wish.
        connector.forget_asked();
        match renew(&connector, &identity.load_full(), clock.as_ref()).await.and_then(|renewed| {
            state.save(&renewed)?;
            Ok(renewed)
        }) {
            Ok(renewed) => {
                identity.store(Arc::new(renewed));
                asked = false;
                backoff.reset();
                tracing::info!("the delegate's certificate was renewed");
            }
            Err(error) => {
                tracing::warn!(%error, "the delegate's certificate could not be renewed; trying again");
                let delay = backoff.next_delay(&mut rand::rng());
                tokio::time::sleep(delay).await;
            }
        }
    }
}

async fn renew(connector: &Connector, old: &Identity, clock: &dyn Clock) -> Result<Identity, RenewalError> {
    let key = tls::new_key()?;
    let request = RenewRequest { certificate_request: tls::request(&key)? };
    let endpoint = connector.endpoint()?;
    let response = tokio::time::timeout(LIMIT, async {
        let channel = tls::connect(&endpoint).await?;
        Ok::<_, RenewalError>(DelegateGatewayClient::new(channel).renew(request).await?.into_inner())
    })
    .await??;
    let renewed = Identity {
        delegate_id: old.delegate_id,
        certificate: response.certificate,
        key,
        authorities: response.authorities,
        issued_at_ms: clock.now_ms(),
    };
    renewed.ends_ms()?;
    Ok(renewed)
}
