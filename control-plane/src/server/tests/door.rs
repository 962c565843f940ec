//! Who is let in.

use std::{sync::Arc, time::Duration};

use proto::{
    api::{InfoRequest, ListDelegatesRequest, delegates_client::DelegatesClient, server_client::ServerClient},
    delegate::RenewRequest,
};
use rand::{SeedableRng, rngs::StdRng};
use runtime::{
    clock::{Clock, ManualClock, SystemClock},
    tls::{Authority, ClientIdentity, new_key, request},
};
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::{
    delegate::{Hello, Joined, enroll, gateway, join_token},
    world::{World, bearing, long},
};

#[tokio::test]
async fn a_call_needs_a_token_that_is_known_and_health_needs_none() {
    let world = World::start(long()).await;
    assert!(world.running.first_start);
    let mut server = ServerClient::new(world.api().await);
    let info = server.info(world.request(InfoRequest {})).await.expect("is let in").into_inner();
    assert!(info.writable && info.delegates_connected == 0);
    let missing = server.info(InfoRequest {}).await.expect_err("no token");
    let wrong = server.info(bearing("segue_client_x", InfoRequest {})).await.expect_err("a wrong token");
    let mut other = world.context.token.clone();
    let last = if other.ends_with('0') { "1" } else { "0" };
    other.replace_range(other.len() - 1.., last);
    let changed = server.info(bearing(&other, InfoRequest {})).await.expect_err("a changed token");
    for refused in [missing, wrong, changed] {
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");
        let code = refused.metadata().get("segue-code").expect("a code");
        assert_eq!(code, "unauthenticated");
    }
    let mut health = HealthClient::new(world.api().await);
    let checked = health.check(HealthCheckRequest::default()).await.expect("is open to all").into_inner();
    assert_eq!(checked.status(), ServingStatus::Serving);
}

#[tokio::test]
async fn a_join_token_is_good_once_and_in_time() {
    let world = World::start(long()).await;
    let token = join_token(&world, 60).await;
    let (first, second) = tokio::join!(enroll(&world, &token, "one"), enroll(&world, &token, "two"));
    let refused = match (first, second) {
        (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
        other => panic!("exactly one joins: {:?}", (other.0.is_ok(), other.1.is_ok())),
    };
    assert_eq!(refused.code(), Code::PermissionDenied);
    let again = enroll(&world, &token, "three").await.expect_err("used");
    assert!(again.message().contains("used before"), "{again:?}");
    assert!(again.metadata().get("segue-hint").is_some());
    let unknown = enroll(&world, &token.replace("segue_join_", "segue_join_x"), "four").await.expect_err("unknown");
    assert_eq!(unknown.code(), Code::Unauthenticated);
    let named = enroll(&world, &join_token(&world, 60).await, "two words").await.expect_err("no name");
    assert_eq!(named.code(), Code::InvalidArgument);
    let mut delegates = DelegatesClient::new(world.api().await);
    let listed = delegates.list(world.request(ListDelegatesRequest {})).await.expect("is listed").into_inner().delegates;
    assert_eq!(listed.len(), 1);
    assert!(!listed[0].connected && listed[0].certificate_expires_at_ms > 0);
}

#[tokio::test]
async fn an_expired_join_token_is_refused() {
    let clock = ManualClock::new(SystemClock::new().now_ms());
    let world = World::start_by(Arc::new(clock.clone()), long()).await;
    let token = join_token(&world, 60).await;
    clock.advance(Duration::from_secs(60));
    let refused = enroll(&world, &token, "late").await.expect_err("expired");
    assert!(refused.message().contains("expired"), "{refused:?}");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_in_the_handshake_and_none_at_the_call() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let mut rng = StdRng::seed_from_u64(1);
    let (other, _) = Authority::create(1_790_000_000_000, &mut rng).expect("an authority");
    let key_pem = new_key().expect("a key");
    let life = Duration::from_secs(10 * 365 * 86_400);
    let issued = other.delegate_certificate(&request(&key_pem).expect("a request"), joined.id, 1_700_000_000_000, life, &mut rng);
    let forged = ClientIdentity { certificate_pem: issued.expect("signs").certificate_pem, key_pem };
    let renew = || RenewRequest { certificate_request: request(&new_key().expect("a key")).expect("a request") };
    let (url, authorities) = (&world.running.gateway_url, &world.context.authorities);
    // With TLS 1.3 the client learns of the refusal when it first reads.
    let refused = match gateway(url, authorities, Some(&forged)).await {
        Err(status) => status,
        Ok(mut client) => client.renew(renew()).await.expect_err("another authority"),
    };
    assert_ne!(refused.code(), Code::Unauthenticated, "refused by TLS, not by a handler: {refused:?}");
    let mut nobody = gateway(url, authorities, None).await.expect("connects");
    assert_eq!(nobody.renew(renew()).await.expect_err("no certificate").code(), Code::Unauthenticated);
    let session = nobody.session(tokio_stream::empty()).await.expect_err("no certificate");
    assert_eq!(session.code(), Code::Unauthenticated);
    let mut known = joined.client(&world).await.expect("connects");
    let renewed = known.renew(renew()).await.expect("is renewed").into_inner();
    assert!(renewed.certificate.contains("BEGIN CERTIFICATE"));
}

#[tokio::test]
async fn a_delegate_that_the_store_does_not_know_gets_no_session() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let fresh = World::start(long()).await;
    // The same identity against a control plane of another authority: refused by TLS on either side.
    let refused = joined.client(&fresh).await;
    assert!(refused.is_err());
    let (link, _) = joined.connect(&world, Hello { instance: 1, ..Hello::default() }).await;
    assert_eq!(world.dispatch().sessions.count(), 1);
    drop(link);
}

#[tokio::test]
async fn reflection_needs_a_token() {
    let world = World::start(long()).await;
    let mut reflection = tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient::new(world.api().await);
    let refused = reflection.server_reflection_info(Request::new(tokio_stream::empty())).await.expect_err("no token");
    assert_eq!(refused.code(), Code::Unauthenticated);
}
