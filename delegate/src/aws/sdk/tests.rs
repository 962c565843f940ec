//! The adapters on the wire, against a server that answers what the test says: what is sent, and what becomes of every kind of
//! answer.

use std::time::Duration;

use aws_credential_types::Credentials;
use domain::{
    failure::{Effect, FailureKind},
    infrastructure::InfrastructureSpec,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinSet,
};

use super::{CallLimits, SdkAccess};
use crate::aws::{
    budget::Budgets,
    ports::{Aws, AwsAccess},
};

/// How the server treats a request.
#[derive(Clone, Copy)]
enum Answer {
    Is(u16, &'static str),
    Never,
    HangUp,
}

/// A request as it came: headers in lower case.
struct Asked {
    head: String,
    body: String,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Serves the answers one after another, a connection each, and gives what was asked.
async fn serve(answers: Vec<Answer>) -> (String, JoinSet<Vec<Asked>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut asked = Vec::new();
        let mut held = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().await.expect("a connection");
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                stream.read_line(&mut head).await.expect("a line");
            }
            let head: String = head
                .lines()
                .map(|line| match line.split_once(": ") {
                    Some((name, value)) => format!("{}: {value}\n", name.to_lowercase()),
                    None => format!("{line}\n"),
                })
                .collect();
            let mut request = Asked { head, body: String::new() };
            let length = request.header("content-length").map_or(0, |length| length.parse().expect("a number"));
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.expect("the body");
            request.body = String::from_utf8(body).expect("text");
            asked.push(request);
            match answer {
                Answer::Is(status, body) => {
                    let length = body.len();
                    let head = format!(
                        "HTTP/1.1 {status} X\r\nx-amzn-requestid: req-7\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
                    );
                    stream.write_all(format!("{head}{body}").as_bytes()).await.expect("written");
                }
                Answer::Never => held.push(stream),
                Answer::HangUp => drop(stream),
            }
        }
        asked
    });
    (endpoint, server)
}

async fn connect(endpoint: &str) -> Aws {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let limits = CallLimits { read: Duration::from_secs(5), write: Duration::from_millis(300) };
    let infrastructure: InfrastructureSpec =
        serde_json::from_value(json!({"name": "prod", "region": "eu-west-1", "cluster": "c"})).expect("an infrastructure");
    SdkAccess::fixed("dlg", limits, Budgets::unlimited(), endpoint, credentials)
        .connect(&infrastructure)
        .await
        .expect("no call is made")
}

#[tokio::test]
async fn documents_go_to_aws_whole_signed_and_with_their_length() {
    let answers = vec![
        Answer::Is(200, r#"{"taskDefinition":{"taskDefinitionArn":"arn:td:7","revision":7},"tags":[{"key":"a","value":"b"}]}"#),
        Answer::Is(200, r#"{"service":{"serviceName":"todo__7","serviceArn":"arn:s","status":"ACTIVE","desiredCount":0}}"#),
    ];
    let (endpoint, mut server) = serve(answers).await;
    let aws = connect(&endpoint).await;
    let definition =
        json!({"family": "todo", "memberOfTomorrow": {"deep": [1.5, null, "ü"]}, "containerDefinitions": [{"x": true}]});
    let registered = aws.ecs.register_task_definition(&definition).await.expect("registered");
    assert_eq!((registered.arn.as_str(), registered.revision, registered.tags["a"].as_str()), ("arn:td:7", 7, "b"));
    let service = json!({"serviceName": "todo__7", "cluster": "c", "futureSetting": {"on": true}, "desiredCount": 0});
    assert_eq!(aws.ecs.create_service(&service).await.expect("created").name, "todo__7");

    let asked = server.join_next().await.expect("one server").expect("served");
    for (asked, (operation, document)) in asked.iter().zip([("RegisterTaskDefinition", definition), ("CreateService", service)]) {
        assert_eq!(asked.header("x-amz-target"), Some(format!("AmazonEC2ContainerServiceV20141113.{operation}").as_str()));
        assert_eq!(serde_json::from_str::<Value>(&asked.body).expect("JSON"), document);
        let signed = asked.header("authorization").expect("signed");
        assert!(signed.contains("AWS4-HMAC-SHA256") && signed.contains("eu-west-1/ecs"), "{signed}");
    }
}

#[tokio::test]
async fn a_refusal_did_not_happen_and_keeps_what_aws_said() {
    let refusal = r#"{"__type":"InvalidParameterException","message":"Creation of service was not idempotent."}"#;
    let (endpoint, _server) = serve(vec![Answer::Is(400, refusal)]).await;
    let failure =
        connect(&endpoint).await.ecs.create_service(&json!({"serviceName": "s", "cluster": "c"})).await.expect_err("refused");
    assert_eq!((failure.kind, failure.effect, failure.transient), (FailureKind::Application, Effect::DidNotHappen, false));
    assert_eq!(
        failure.message,
        "Could not create the ECS service s in cluster c: InvalidParameterException: Creation of service was not idempotent."
    );
    let answer = failure.answer.expect("AWS answered");
    assert_eq!(
        answer.to_string(),
        "ecs:CreateService answered InvalidParameterException: Creation of service was not idempotent. (request id req-7)"
    );
}

#[tokio::test]
async fn each_kind_of_bad_answer_to_a_write_is_told_apart() {
    let cases = [
        (
            Answer::Is(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#),
            FailureKind::Connectivity,
            Effect::DidNotHappen,
            true,
        ),
        (
            Answer::Is(400, r#"{"__type":"AccessDeniedException","message":"no"}"#),
            FailureKind::Authorization,
            Effect::DidNotHappen,
            false,
        ),
        (
            Answer::Is(400, r#"{"__type":"ExpiredTokenException","message":"old"}"#),
            FailureKind::Authorization,
            Effect::DidNotHappen,
            true,
        ),
        (
            Answer::Is(500, r#"{"__type":"ServerException","message":"oops"}"#),
            FailureKind::Connectivity,
            Effect::MayHaveHappened,
            true,
        ),
        (Answer::Is(200, "not json"), FailureKind::Connectivity, Effect::MayHaveHappened, true),
        (Answer::Is(503, "<html>busy</html>"), FailureKind::Connectivity, Effect::MayHaveHappened, true),
        (Answer::Never, FailureKind::Connectivity, Effect::MayHaveHappened, true),
        (Answer::HangUp, FailureKind::Connectivity, Effect::MayHaveHappened, true),
    ];
    for (number, (answer, kind, effect, transient)) in cases.into_iter().enumerate() {
        // One answer only: a write that was sent twice would find nobody there.
        let (endpoint, _server) = serve(vec![answer]).await;
        let failure = connect(&endpoint).await.ecs.set_desired_count("c", "s", 2).await.expect_err("no good answer");
        assert_eq!((failure.kind, failure.effect, failure.transient), (kind, effect, transient), "case {number}: {failure:?}");
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_happened() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound");
    let failure = connect(&format!("http://{free}")).await.ecs.set_desired_count("c", "s", 2).await.expect_err("nobody");
    assert_eq!((failure.kind, failure.effect, failure.transient), (FailureKind::Connectivity, Effect::DidNotHappen, true));
    assert!(failure.message.contains("could not be reached"), "{}", failure.message);
}

#[tokio::test]
async fn a_read_is_tried_again_by_itself() {
    let found = r#"{"clusters":[{"clusterName":"c","clusterArn":"arn:c","status":"ACTIVE"}],"failures":[]}"#;
    let busy = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    let (endpoint, mut server) = serve(vec![Answer::Is(400, busy), Answer::Is(500, "{}"), Answer::Is(200, found)]).await;
    let cluster = connect(&endpoint).await.ecs.cluster("c").await.expect("the third answer").expect("found");
    assert_eq!(cluster.status, "ACTIVE");
    assert_eq!(server.join_next().await.expect("one server").expect("served").len(), 3);
}

#[tokio::test]
async fn a_load_balancer_that_is_not_there_is_an_answer_and_listeners_change_by_their_actions_alone() {
    let missing =
        "<ErrorResponse><Error><Type>Sender</Type><Code>LoadBalancerNotFound</Code><Message>no</Message></Error></ErrorResponse>";
    let changed = "<ModifyListenerResponse><ModifyListenerResult><Listeners><member><ListenerArn>arn:l</ListenerArn><Port>80</Port>\
                   <Protocol>HTTP</Protocol><DefaultActions><member><Type>forward</Type><TargetGroupArn>arn:tg</TargetGroupArn></member>\
                   </DefaultActions></member></Listeners></ModifyListenerResult></ModifyListenerResponse>";
    let (endpoint, mut server) = serve(vec![Answer::Is(400, missing), Answer::Is(200, changed)]).await;
    let elb = connect(&endpoint).await.load_balancing;
    assert_eq!(elb.load_balancer("shop").await, Ok(None));
    let actions = json!([{"Type": "forward", "TargetGroupArn": "arn:tg"}]);
    let listener = elb.set_default_actions("arn:l", &actions).await.expect("changed");
    assert_eq!((listener.port, &listener.actions), (80, &actions));
    let body = &server.join_next().await.expect("one server").expect("served")[1].body;
    let mut members: Vec<&str> = body.split('&').filter_map(|pair| pair.split('=').next()).collect();
    members.sort_unstable();
    assert_eq!(
        members,
        ["Action", "DefaultActions.member.1.TargetGroupArn", "DefaultActions.member.1.Type", "ListenerArn", "Version"]
    );
}
