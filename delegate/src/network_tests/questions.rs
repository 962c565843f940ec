//! Questions are answered, also those that have no answer.

use domain::{
    discovery::{Answer, Query, Subject},
    failure::{Failure, FailureKind},
};
use proto::{
    convert::document::to_json,
    delegate::{Query as Asked, from_delegate::Message as Up, query_answer, to_delegate::Message as Down},
};

use super::{
    gateway::Conversation,
    world::{World, done},
};

const QUESTION: &str = "qry_00000000000000000000000000000001";

async fn ask(session: &mut Conversation, cluster: &str, timeout_ms: u64) -> Result<Answer, Failure> {
    let query = Query {
        infrastructure: serde_json::from_value(serde_json::json!({"name": "i", "region": "eu-west-1", "cluster": cluster}))
            .expect("right"),
        subject: Subject::LoadBalancers { name_contains: None },
    };
    session.say(Down::Query(Asked { query_id: QUESTION.into(), query_json: to_json(&query), timeout_ms })).await;
    let Up::QueryAnswer(answer) = session.hear().await else { panic!("an answer was expected") };
    assert_eq!(answer.query_id, QUESTION);
    match answer.result.expect("a result") {
        query_answer::Result::AnswerJson(json) => Ok(serde_json::from_str(&json).expect("an answer")),
        query_answer::Result::FailureJson(json) => Err(serde_json::from_str(&json).expect("a failure")),
    }
}

#[tokio::test]
async fn a_question_is_answered_refused_or_given_up_in_time() {
    let mut world = World::new().await;
    let delegate = world.joining(|_, _| Box::pin(async { done() }));
    let mut session = world.gateway.connected().await;
    assert_eq!(ask(&mut session, "mine", 10_000).await.expect("an answer").identity, "mine");
    assert_eq!(ask(&mut session, "refused", 10_000).await.expect_err("refused").kind, FailureKind::Authorization);
    assert_eq!(ask(&mut session, "silent", 50).await.expect_err("none").kind, FailureKind::Timeout);
    drop(session);
    delegate.stopped().await;
}
