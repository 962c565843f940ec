//! Certificates that are not what they should be, that end, that were exchanged, and that two processes use.

use std::{sync::Arc, time::Duration};

use domain::outcome::Outcome;
use proto::api::{Delegate, ListDelegatesRequest, delegates_client::DelegatesClient};
use rand::{SeedableRng, rngs::StdRng};
use runtime::{
    clock::{Clock, ManualClock, SystemClock},
    tls::{Authority, ClientIdentity, new_key, request},
};
use tonic::{Code, Status};

use super::{
    delegate::{Hello, Joined, gateway, renew},
    world::{World, long},
};

const DAY: Duration = Duration::from_secs(86_400);
const DAY_MS: i64 = 86_400_000;

fn hello(instance: u128) -> Hello {
    Hello { instance, ..Hello::default() }
}

/// What becomes of a call with this certificate. With TLS 1.3 the client learns of a refusal when it first reads.
async fn refused(world: &World, identity: &ClientIdentity) -> Status {
    match gateway(&world.running.gateway_url, &world.context.authorities, Some(identity)).await {
        Err(status) => status,
        Ok(mut client) => renew(&mut client).await.expect_err("is refused"),
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_a_delegate_s_of_today_gets_no_connection_and_costs_nobody_else() {
    let world = World::start(long()).await;
    let (bad, good) = (Joined::new(&world, "bad").await, Joined::new(&world, "good").await);
    let (mut link, _) = good.connect(&world, hello(1)).await;
    let (authority, mut rng, now_ms) = (world.authority(), StdRng::seed_from_u64(1), SystemClock::new().now_ms());
    let (other, _) = Authority::create(now_ms, &mut rng).expect("an authority");
    let mut signed = |by: &Authority, from_ms: i64| {
        let key_pem = new_key().expect("a key");
        let issued = by.delegate_certificate(&request(&key_pem).expect("a request"), bad.id, from_ms, DAY, &mut rng);
        ClientIdentity { certificate_pem: issued.expect("signs").certificate_pem, key_pem }
    };
    // The way these are made is right: the one that is wrong in nothing is let in.
    let right = signed(&authority, now_ms);
    let mut client = gateway(&world.running.gateway_url, &world.context.authorities, Some(&right)).await.expect("connects");
    renew(&mut client).await.expect("is renewed");
    let mut wrong = vec![
        ("expired", signed(&authority, now_ms - 2 * DAY_MS)),
        ("not yet valid", signed(&authority, now_ms + DAY_MS)),
        ("of another authority", signed(&other, now_ms)),
    ];
    let server = authority.server_certificate(&["localhost".to_owned()], now_ms, DAY, &mut rng).expect("signs");
    wrong.push(("a server's", ClientIdentity { certificate_pem: server.certificate_pem, key_pem: server.key_pem }));
    for (what, identity) in &wrong {
        let status = refused(&world, identity).await;
        assert!(!matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied), "{what}: refused by TLS: {status:?}");
        link.beat(false).await;
    }
    let id = world.deploy(&["a"]).await;
    let task = link.assigned().await.task;
    assert_eq!(link.succeed(task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}

/// TLS looks at a certificate when a connection is made; the connection may outlast it.
#[tokio::test]
async fn a_session_ends_with_its_certificate_unless_that_was_renewed() {
    let clock = ManualClock::new(SystemClock::new().now_ms());
    let world = World::start_by(Arc::new(clock.clone()), long()).await;
    let (idle, fresh) = (Joined::new(&world, "idle").await, Joined::new(&world, "fresh").await);
    let (mut idle_link, _) = idle.connect(&world, hello(1)).await;
    let (mut fresh_link, _) = fresh.connect(&world, hello(2)).await;
    let mut idle_client = idle.client(&world).await.expect("connects");
    clock.advance(DAY / 2);
    renew(&mut fresh.client(&world).await.expect("connects")).await.expect("is renewed");
    clock.advance(DAY / 2);
    idle_link.say(heartbeat()).await;
    let ended = idle_link.ended().await;
    assert_eq!(ended.code(), Code::Unauthenticated, "{ended:?}");
    assert!(ended.message().contains("has ended"), "{ended:?}");
    // Nor does the connection open anything new, or get a new certificate for the one that has ended.
    let session = idle_client.session(tokio_stream::pending()).await.expect_err("no session");
    let renewed = renew(&mut idle_client).await.expect_err("no certificate");
    assert_eq!((session.code(), renewed.code()), (Code::Unauthenticated, Code::Unauthenticated));
    fresh_link.beat(false).await;
}

fn heartbeat() -> proto::delegate::from_delegate::Message {
    let heartbeat = proto::delegate::Heartbeat { number: 1, ..proto::delegate::Heartbeat::default() };
    proto::delegate::from_delegate::Message::Heartbeat(heartbeat)
}

/// What it did not keep it does not trust by: an exchange of the authority would wait for it until two thirds of the certificate's life.
#[tokio::test]
async fn a_delegate_that_was_killed_before_it_kept_its_new_certificate_is_told_to_renew_again() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let (mut link, _) = joined.connect(&world, hello(1)).await;
    link.beat(false).await;
    assert!(!link.was_told_to_renew(), "its certificate is its newest");
    renew(&mut joined.client(&world).await.expect("connects")).await.expect("is renewed");
    drop(link);
    let (mut link, _) = joined.connect(&world, hello(2)).await;
    link.beat(false).await;
    assert!(link.was_told_to_renew());
}

async fn shown(world: &World, joined: &Joined) -> Delegate {
    let mut delegates = DelegatesClient::new(world.api().await);
    let listed = delegates.list(world.request(ListDelegatesRequest {})).await.expect("is listed").into_inner().delegates;
    listed.into_iter().find(|delegate| delegate.id == joined.id.to_string()).expect("is among them")
}

/// A certificate that was copied works for one process at a time: the newer one takes the place, and the tasks of the older one stay
/// its own until its lease has ended. Both being alive is shown to people.
#[tokio::test]
async fn a_cloned_certificate_never_makes_two_of_one_and_is_shown() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let (mut original, _) = joined.connect(&world, hello(1)).await;
    let id = world.deploy(&["a"]).await;
    let task = original.assigned().await.task;
    let (mut clone, _) = joined.connect(&world, hello(2)).await;
    let ended = original.ended().await;
    assert_eq!(ended.code(), Code::Unavailable, "{ended}");
    assert!(clone.succeed(task).await.contains("held by"), "the clone's process does not hold it");
    assert_eq!(shown(&world, &joined).await.copied_at_ms, 0, "so far it may have been restarted");
    // The original comes back and is at work on its task as before.
    let (mut original, revoked) = joined.connect(&world, Hello { tasks: vec![task], ..hello(1) }).await;
    assert!(revoked.is_empty(), "{revoked:?}");
    let delegate = shown(&world, &joined).await;
    assert!(delegate.copied_at_ms > 0 && delegate.copied_instance_ids.len() == 2, "{delegate:?}");
    assert_eq!(delegate.copied_instance_ids[0], delegate.instance_id);
    assert_eq!(original.succeed(task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}
