//! CloudWatch's alarms on the wire, which is CBOR: what is asked, and what becomes of the answer's pages.

use std::time::Duration;

use aws_credential_types::Credentials;
use domain::{failure::FailureKind, infrastructure::InfrastructureSpec};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinSet,
};

use super::{CallLimits, SdkAccess};
use crate::aws::{
    alarms::{Alarm, AlarmState},
    budget::Budgets,
    ports::{Aws, AwsAccess},
};

/// The CBOR of texts, lists and maps.
fn cbor(value: &Value, bytes: &mut Vec<u8>) {
    let head = |major: u8, length: usize, bytes: &mut Vec<u8>| {
        bytes.push((major << 5) | 25);
        bytes.extend(u16::try_from(length).expect("short").to_be_bytes());
    };
    match value {
        Value::String(text) => {
            head(3, text.len(), bytes);
            bytes.extend(text.as_bytes());
        }
        Value::Array(items) => {
            head(4, items.len(), bytes);
            items.iter().for_each(|item| cbor(item, bytes));
        }
        Value::Object(members) => {
            head(5, members.len(), bytes);
            for (name, value) in members {
                cbor(&json!(name), bytes);
                cbor(value, bytes);
            }
        }
        other => panic!("{other} is not needed here"),
    }
}

/// Serves the answers one after another, a connection each, and gives the requests, heads in lower case.
async fn serve(answers: Vec<(u16, Value)>) -> (Aws, JoinSet<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut asked = Vec::new();
        for (status, answer) in answers {
            let (stream, _) = listener.accept().await.expect("a connection");
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                stream.read_line(&mut head).await.expect("a line");
            }
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
            let mut body = vec![0; length.parse().expect("a number")];
            stream.read_exact(&mut body).await.expect("the body");
            asked.push(format!("{head}{}", String::from_utf8_lossy(&body)));
            let mut bytes = Vec::new();
            cbor(&answer, &mut bytes);
            let head = format!(
                "HTTP/1.1 {status} X\r\nsmithy-protocol: rpc-v2-cbor\r\ncontent-type: application/cbor\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n",
                bytes.len()
            );
            stream.write_all(head.as_bytes()).await.expect("written");
            stream.write_all(&bytes).await.expect("written");
        }
        asked
    });
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let limits = CallLimits { read: Duration::from_secs(5), write: Duration::from_secs(5) };
    let infrastructure: InfrastructureSpec =
        serde_json::from_value(json!({"name": "prod", "region": "eu-west-1", "cluster": "c"})).expect("an infrastructure");
    let access = SdkAccess::fixed("dlg", limits, Budgets::unlimited(), &endpoint, credentials);
    (access.connect(&infrastructure).await.expect("no call is made"), server)
}

#[tokio::test]
async fn metric_and_composite_alarms_come_from_every_page() {
    let first = json!({
        "MetricAlarms": [{"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "3.0 > 1.0"}],
        "NextToken": "page-2",
    });
    let second = json!({
        "MetricAlarms": [{"AlarmName": "latency", "StateValue": "INSUFFICIENT_DATA"}],
        "CompositeAlarms": [{"AlarmName": "all", "StateValue": "OK"}],
    });
    let (aws, mut server) = serve(vec![(200, first), (200, second)]).await;
    let names = ["errors", "latency", "all"].map(str::to_owned);
    let one = |name: &str, state, reason: &str| Alarm { name: name.to_owned(), state, reason: reason.to_owned() };
    assert_eq!(
        aws.alarms.alarms(&names).await.expect("alarms"),
        [
            one("errors", AlarmState::Alarm, "3.0 > 1.0"),
            one("latency", AlarmState::InsufficientData, ""),
            one("all", AlarmState::Ok, ""),
        ]
    );
    let asked = server.join_next().await.expect("one server").expect("served");
    assert!(asked[0].contains("/operation/describealarms ") && asked[0].contains("eu-west-1/monitoring/"), "{}", asked[0]);
    for word in ["errors", "latency", "CompositeAlarm", "MetricAlarm"] {
        assert!(asked[0].contains(word), "{word} in {}", asked[0]);
    }
    assert!(asked[1].contains("page-2"), "{}", asked[1]);
}

#[tokio::test]
async fn a_refusal_keeps_what_aws_said() {
    let refusal = json!({"__type": "com.amazonaws.cloudwatch#AccessDeniedException", "message": "not authorized"});
    let (aws, _server) = serve(vec![(400, refusal)]).await;
    let failure = aws.alarms.alarms(&["errors".to_owned()]).await.expect_err("refused");
    assert_eq!(failure.kind, FailureKind::Authorization, "{failure:?}");
    assert!(failure.message.contains("not authorized"), "{}", failure.message);
    assert_eq!(failure.answer.expect("AWS answered").operation, "cloudwatch:DescribeAlarms");
}
