//! Peers that mean harm, or are broken: none costs more than its own session, and everybody else goes on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{ids::InstanceId, limits::MESSAGE_BYTES, outcome::Outcome, task::TaskKey};
use proto::{
    PROTOCOL,
    delegate::{self, EnrollRequest, FromDelegate, LogChunk, LogLine, RenewRequest, from_delegate},
};
use runtime::{
    clock::{Clock, ManualClock, SystemClock},
    tls::{new_key, request},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use uuid::Uuid;

use super::{
    delegate::{Hello, Joined, gateway, join_token},
    world::{World, long},
};
use crate::dispatch::Roster;

fn hello(instance: u128) -> Hello {
    Hello { instance, ..Hello::default() }
}

/// What an administrator's `segue delegate revoke` does.
async fn revoke(world: &World, joined: &Joined) {
    use proto::api::{RevokeDelegateRequest, delegates_client::DelegatesClient};
    let asked = world.request(RevokeDelegateRequest { delegate: joined.id.to_string() });
    let told = DelegatesClient::new(world.api().await).revoke(asked).await.expect("is revoked").into_inner();
    assert!(told.revoked_at_ms > 0 && told.revoked_by == "admin", "{told:?}");
}

#[tokio::test]
async fn a_revoked_delegate_loses_every_stream_within_a_second_and_opens_none_again() {
    let world = World::start(long()).await;
    let (bad, good) = (Joined::new(&world, "bad").await, Joined::new(&world, "good").await);
    let (mut bad_link, _) = bad.connect(&world, hello(1)).await;
    let (mut good_link, _) = good.connect(&world, hello(2)).await;
    let (chunks, shipped) = mpsc::channel::<LogChunk>(4);
    let mut logs = bad.client(&world).await.expect("connects");
    let mut acks = logs.ship_logs(ReceiverStream::new(shipped)).await.expect("a stream of logs").into_inner();

    let since = Instant::now();
    revoke(&world, &bad).await;
    let ended = bad_link.ended().await;
    assert_eq!((ended.code(), ended.message()), (Code::PermissionDenied, "this delegate was revoked"));
    assert!(!matches!(acks.message().await, Ok(Some(_))), "the stream of logs has ended, too");
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    drop(chunks);

    // With its certificate, which is good for hours: no session, no logs, no new certificate.
    let mut client = bad.client(&world).await.expect("the certificate itself is still of our authority");
    let (_up, messages) = mpsc::channel(1);
    let refused = client.session(ReceiverStream::new(messages)).await.expect_err("no session");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let certificate_request = request(&new_key().expect("a key")).expect("a request");
    let refused = client.renew(RenewRequest { certificate_request }).await.expect_err("no certificate");
    assert_eq!(refused.code(), Code::PermissionDenied);

    // The other one noticed nothing.
    good_link.beat(false).await;
    let id = world.deploy(&["a"]).await;
    let task = good_link.assigned().await.task;
    assert_eq!(good_link.succeed(task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
    assert_eq!(roster_names(&world.dispatch().roster), ["good"]);
}

fn roster_names(roster: &Roster) -> Vec<String> {
    roster.standing().iter().map(|delegate| delegate.name.clone()).collect()
}

#[tokio::test]
async fn giant_and_malformed_messages_end_their_own_session() {
    let world = World::start(long()).await;
    let (bad, good) = (Joined::new(&world, "bad").await, Joined::new(&world, "good").await);
    let (mut good_link, _) = good.connect(&world, hello(9)).await;
    let beat = |number, tasks: Vec<String>| {
        from_delegate::Message::Heartbeat(delegate::Heartbeat { number, tasks, ..delegate::Heartbeat::default() })
    };
    let report = |task: String| from_delegate::Message::Report(delegate::Report { task, report_json: "{}".into() });
    for (instance, message) in [
        (1, beat(1, vec!["x".repeat(MESSAGE_BYTES + 1)])),
        (2, report("x".repeat(MESSAGE_BYTES + 1))),
        (3, report("dep_x/1/perform/1\u{1b}]0;owned\u{7}".to_owned())),
        (4, from_delegate::Message::Hello(delegate::Hello::default())),
    ] {
        let (mut link, _) = bad.connect(&world, hello(instance)).await;
        link.say(message).await;
        let ended = link.ended().await;
        assert!(!ended.message().contains('\u{1b}'), "{instance}: {ended:?}");
        good_link.beat(false).await;
    }
    // Nothing of it is left: the delegate comes back and works.
    let (mut link, _) = bad.connect(&world, hello(5)).await;
    link.beat(false).await;
}

#[tokio::test]
async fn whoever_says_anything_but_a_right_hello_gets_no_session() {
    let world = World::start(long()).await;
    let bad = Joined::new(&world, "bad").await;
    let right = || delegate::Hello {
        instance_id: InstanceId::new(Uuid::from_u128(1)).to_string(),
        protocol: PROTOCOL,
        ..Default::default()
    };
    let changes: [fn(&mut delegate::Hello); 4] = [
        |hello| hello.selectors = vec!["\u{1b}[2J".into()],
        |hello| hello.selectors = (0..100).map(|number| number.to_string()).collect(),
        |hello| hello.protocol += 1,
        |hello| hello.tasks = vec!["../../etc/passwd".into()],
    ];
    for change in changes {
        let mut hello = right();
        change(&mut hello);
        let mut client = bad.client(&world).await.expect("connects");
        let (up, messages) = mpsc::channel(2);
        up.send(FromDelegate { message: Some(from_delegate::Message::Hello(hello)) }).await.expect("is open");
        let mut down = client.session(ReceiverStream::new(messages)).await.expect("a stream").into_inner();
        let refused = down.message().await.expect_err("no welcome");
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
        assert!(world.dispatch().sessions.of(bad.id).is_none());
    }
}

#[tokio::test]
async fn logs_of_another_delegate_s_task_and_lines_without_end_are_refused() {
    let world = World::start(long()).await;
    let (one, two) = (Joined::new(&world, "one").await, Joined::new(&world, "two").await);
    let (mut link, _) = one.connect(&world, hello(1)).await;
    world.deploy(&["a"]).await;
    let task = link.assigned().await.task;
    let line = |text: String| LogLine { at_ms: 1, level: 1, text };
    let chunk = |text: &str| LogChunk { task: task.to_string(), first: 0, lines: vec![line(text.to_owned())], dropped: 0 };
    let ship = async |joined: &Joined, chunk: LogChunk| {
        let (chunks, shipped) = mpsc::channel(2);
        let mut client = joined.client(&world).await.expect("connects");
        let mut acks = client.ship_logs(ReceiverStream::new(shipped)).await.expect("a stream").into_inner();
        chunks.send(chunk).await.expect("is open");
        acks.message().await
    };
    let refused = ship(&two, chunk("forged")).await.expect("an answer").expect("an acknowledgement");
    assert_eq!(refused.rejection, "the task is not this delegate's");
    let giant = ship(&one, chunk(&"x".repeat(MESSAGE_BYTES + 1))).await;
    assert!(giant.is_err() || giant.is_ok_and(|ack| ack.is_none_or(|ack| !ack.rejection.is_empty())));
    let taken = ship(&one, chunk("mine")).await.expect("an answer").expect("an acknowledgement");
    assert_eq!((taken.next, taken.rejection.as_str()), (1, ""));
}

#[tokio::test]
async fn a_name_that_is_none_and_a_request_that_is_none_let_nobody_in() {
    let world = World::start(long()).await;
    let certificate_request = request(&new_key().expect("a key")).expect("a request");
    let join_token = join_token(&world, 60).await;
    let ask = async |name: &str, certificate_request: &str| {
        let mut gateway = gateway(&world.running.gateway_url, &world.context.authorities, None).await.expect("connects");
        let asked = EnrollRequest {
            join_token: join_token.clone(),
            certificate_request: certificate_request.to_owned(),
            name: name.to_owned(),
            aws_identity: None,
        };
        gateway.enroll(asked).await
    };
    for (name, wrong) in [("a\u{1b}[31m", certificate_request.as_str()), ("", &certificate_request), ("fine", "not a request")] {
        assert_eq!(ask(name, wrong).await.expect_err("refused").code(), Code::InvalidArgument, "{name:?}");
    }
    // The token was not used up by any of that.
    ask("fine", &certificate_request).await.expect("joins");
    assert_eq!(roster_names(&world.dispatch().roster), ["fine"]);
}

/// Lines as fast as they are taken, far beyond what a delegate may ship: they wait, nobody else does, and none is lost.
#[tokio::test]
async fn a_flood_of_log_lines_holds_up_nobody_but_the_one_who_sends_it() {
    // A clock that stands gives nothing of the quota back.
    let world = World::start_by(Arc::new(ManualClock::new(SystemClock::new().now_ms())), long()).await;
    let (bad, good) = (Joined::new(&world, "bad").await, Joined::new(&world, "good").await);
    let (mut bad_link, _) = bad.connect(&world, hello(1)).await;
    world.deploy(&["flood"]).await;
    let bad_task = bad_link.assigned().await.task;
    let (mut good_link, _) = good.connect(&world, hello(2)).await;
    bad_link.beat(true).await;
    world.deploy(&["quiet"]).await;
    let good_task = good_link.assigned().await.task;

    let chunk = |task: TaskKey, first: u64, lines: usize| {
        let line = LogLine { at_ms: 1, level: 1, text: "x".into() };
        LogChunk { task: task.to_string(), first, lines: vec![line; lines], dropped: 0 }
    };
    let (bad_chunks, shipped) = mpsc::channel(2);
    let mut bad_acks =
        bad.client(&world).await.expect("connects").ship_logs(ReceiverStream::new(shipped)).await.expect("a stream").into_inner();
    let flood = async {
        for number in 0..1000 {
            bad_chunks.send(chunk(bad_task, number * 490, 490)).await.expect("the stream is open");
        }
    };
    let honest = async {
        let mut taken = 0;
        // Two hundred chunks may come at once; from there on each waits longer than the one before.
        while taken < 205 * 490 {
            taken = bad_acks.message().await.expect("the stream goes on").expect("an acknowledgement").next;
        }
        let (chunks, shipped) = mpsc::channel(2);
        let mut client = good.client(&world).await.expect("connects");
        let mut acks = client.ship_logs(ReceiverStream::new(shipped)).await.expect("a stream").into_inner();
        chunks.send(chunk(good_task, 0, 10)).await.expect("is open");
        let ack = acks.message().await.expect("the stream goes on").expect("an acknowledgement");
        assert_eq!((ack.next, ack.rejection.as_str()), (10, ""));
        good_link.beat(false).await;
        bad_link.beat(true).await;
    };
    tokio::select! {
        () = flood => panic!("a flood that was not held back proves nothing"),
        () = honest => {}
    }
}
