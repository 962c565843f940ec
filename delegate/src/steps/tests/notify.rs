//! Notify against webhooks that take it, refuse it, or are not there.

use domain::{
    failure::FailureKind,
    step::{Notify, StepAction, StepOutput},
    task::Direction,
};
use serde_json::Value;

use super::{
    fake_aws::{FakeAws, World},
    peer::Peer,
    rig::{Ended, FAMILY, Rig},
};

async fn tell(url: &str, required: bool) -> Ended {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.perform(0).await.output();
    let input = Notify { webhook: format!("{url}/hooks/s3cret"), message: "4 is up".into(), required };
    rig.attempt_of(StepAction::Notify(input), 1, Direction::Perform).await
}

#[tokio::test]
async fn the_webhook_is_told_what_was_done_so_far() {
    let peer = Peer::answering(&[(503, ""), (204, "")]).await;
    let ended = tell(&peer.url, true).await;
    assert!(!ended.lines.join("\n").contains("s3cret"), "{:?}", ended.lines);
    assert_eq!(ended.output(), StepOutput::Nothing);
    let asked = peer.asked();
    assert_eq!(asked.len(), 2, "a fault may pass");
    assert!(asked[1].starts_with("POST /hooks/s3cret HTTP/1.1\r\n"), "{}", asked[1]);
    let body: Value = serde_json::from_str(asked[1].split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    assert_eq!((body["message"].as_str(), body["outcome"].as_str()), (Some("4 is up"), Some("running")));
    assert_eq!((&body["succeeded"], body["infrastructure"].as_str()), (&serde_json::json!(["step0"]), Some("prod")));
    assert!(body["deployment"].as_str().is_some_and(|id| id.starts_with("dep_")), "{body}");
}

#[tokio::test]
async fn who_can_not_be_told_stops_nothing_unless_required() {
    let peer = Peer::answering(&[(404, "no such hook")]).await;
    let ended = tell(&peer.url, false).await;
    let last = ended.lines.last().expect("a line").clone();
    assert_eq!(last, format!("{} could not be told: status 404. The deployment goes on.", peer.url));
    ended.output();
    let failure = tell(&peer.url, true).await.failure();
    assert_eq!((failure.kind, failure.transient), (FailureKind::Application, false));
    assert_eq!(peer.asked().len(), 2, "what is refused once is refused again");
}
