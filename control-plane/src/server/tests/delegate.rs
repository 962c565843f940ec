//! A delegate that does nothing by itself.

use std::collections::VecDeque;

use domain::{
    discovery::{Answer, Query},
    failure::{Failure, FailureKind},
    ids::{DelegateId, InstanceId},
    step::{Checkpoint, StepKind, StepOutput},
    task::{Assignment, TaskKey, TaskReport},
};
use proto::{
    PROTOCOL,
    api::{CreateJoinTokenRequest, delegates_client::DelegatesClient},
    convert::document::{from_json, to_json},
    delegate::{
        self, EnrollRequest, EnrollResponse, FromDelegate, RenewRequest, RenewResponse, ToDelegate,
        delegate_gateway_client::DelegateGatewayClient, from_delegate, query_answer, to_delegate,
    },
};
use runtime::tls::{ClientIdentity, endpoint, new_key, request};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming, transport::Channel};
use uuid::Uuid;

use super::world::{LIMIT, World};

/// A delegate that has joined.
pub struct Joined {
    pub id: DelegateId,
    pub identity: ClientIdentity,
    authorities: String,
}

/// A session of it.
pub struct Link {
    up: mpsc::Sender<FromDelegate>,
    down: Streaming<ToDelegate>,
    /// What came while something else was waited for.
    aside: VecDeque<to_delegate::Message>,
    beats: u64,
}

/// What a hello says, beside what is the same in every test.
#[derive(Default, Clone)]
pub struct Hello {
    pub instance: u128,
    pub tasks: Vec<TaskKey>,
    pub selectors: Vec<String>,
    pub draining: bool,
    /// Kinds of steps that it knows, as it names them; none: all that there are today.
    pub kinds: Option<Vec<String>>,
    /// Questions that it answers, beside the first ones.
    pub questions: Vec<String>,
}

/// A join token, as an administrator makes it.
pub async fn join_token(world: &World, ttl_seconds: u64) -> String {
    let mut delegates = DelegatesClient::new(world.api().await);
    let made = delegates
        .create_join_token(world.request(CreateJoinTokenRequest { ttl_seconds, ..CreateJoinTokenRequest::default() }))
        .await;
    made.expect("a token").into_inner().token
}

/// Asks for a new certificate, for a new key that nobody keeps.
pub async fn renew(client: &mut DelegateGatewayClient<Channel>) -> Result<RenewResponse, Status> {
    let certificate_request = request(&new_key().expect("a key")).expect("a request");
    client.renew(RenewRequest { certificate_request }).await.map(Response::into_inner)
}

/// Tries to join with a token; the key is the second value.
pub async fn enroll(world: &World, join_token: &str, name: &str) -> Result<(EnrollResponse, String), Status> {
    let key_pem = new_key().expect("a key");
    let mut gateway = gateway(&world.running.gateway_url, &world.context.authorities, None).await?;
    let certificate_request = request(&key_pem).expect("a request");
    let message =
        EnrollRequest { join_token: join_token.to_owned(), certificate_request, name: name.to_owned(), aws_identity: None };
    gateway.enroll(message).await.map(|response| (response.into_inner(), key_pem))
}

pub async fn gateway(
    url: &str,
    authorities: &str,
    identity: Option<&ClientIdentity>,
) -> Result<DelegateGatewayClient<Channel>, Status> {
    let channel = endpoint(url, authorities, identity).expect("an endpoint").connect().await;
    channel.map(DelegateGatewayClient::new).map_err(|error| Status::unavailable(format!("{error:?}")))
}

impl Joined {
    pub async fn new(world: &World, name: &str) -> Self {
        let token = join_token(world, 60).await;
        let (response, key_pem) = enroll(world, &token, name).await.expect("joins");
        let identity = ClientIdentity { certificate_pem: response.certificate, key_pem };
        Self { id: response.delegate_id.parse().expect("an id"), identity, authorities: response.authorities }
    }

    pub async fn client(&self, world: &World) -> Result<DelegateGatewayClient<Channel>, Status> {
        gateway(&world.running.gateway_url, &self.authorities, Some(&self.identity)).await
    }

    /// Opens a session; returns it with the tasks that the welcome revokes.
    pub async fn connect(&self, world: &World, hello: Hello) -> (Link, Vec<String>) {
        let mut gateway = self.client(world).await.expect("connects");
        let (up, messages) = mpsc::channel(16);
        let instance = InstanceId::new(Uuid::from_u128(hello.instance));
        let message = delegate::Hello {
            instance_id: instance.to_string(),
            version: "0".into(),
            protocol: PROTOCOL,
            step_kinds: hello.kinds.unwrap_or_else(|| StepKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect()),
            selectors: hello.selectors,
            tasks: hello.tasks.iter().map(TaskKey::to_string).collect(),
            draining: hello.draining,
            questions: hello.questions,
        };
        let message = from_delegate::Message::Hello(message);
        up.send(FromDelegate { message: Some(message) }).await.expect("is open");
        let down = gateway.session(ReceiverStream::new(messages)).await.expect("a session").into_inner();
        let mut link = Link { up, down, aside: VecDeque::new(), beats: 0 };
        let revoked = match link.next().await.expect("a message") {
            to_delegate::Message::Welcome(welcome) => welcome.revoked_tasks,
            other => panic!("{other:?}"),
        };
        (link, revoked)
    }
}

impl Link {
    pub async fn say(&self, message: from_delegate::Message) {
        self.up.send(FromDelegate { message: Some(message) }).await.expect("the session is open");
    }

    /// The next message.
    pub async fn next(&mut self) -> Result<to_delegate::Message, Status> {
        let message = tokio::time::timeout(LIMIT, self.down.message()).await.expect("comes in time")?;
        message.and_then(|message| message.message).ok_or_else(|| Status::unavailable("the stream ended"))
    }

    async fn wait<T>(&mut self, wanted: impl Fn(&to_delegate::Message) -> Option<T>) -> T {
        if let Some(position) = self.aside.iter().position(|message| wanted(message).is_some()) {
            return self.aside.remove(position).and_then(|message| wanted(&message)).expect("was there");
        }
        loop {
            let message = self.next().await.expect("the session is open");
            match wanted(&message) {
                Some(found) => return found,
                None => self.aside.push_back(message),
            }
        }
    }

    /// A question's id and what it is about.
    pub async fn asked(&mut self) -> (String, Query) {
        let (id, json) = self
            .wait(|message| match message {
                to_delegate::Message::Query(query) => Some((query.query_id.clone(), query.query_json.clone())),
                _ => None,
            })
            .await;
        (id, from_json("query", &json).expect("a question"))
    }

    /// Answers a question.
    pub async fn answer(&self, query_id: String, answer: Result<&Answer, &Failure>) {
        let result = Some(match answer {
            Ok(answer) => query_answer::Result::AnswerJson(to_json(answer)),
            Err(failure) => query_answer::Result::FailureJson(to_json(failure)),
        });
        self.say(from_delegate::Message::QueryAnswer(delegate::QueryAnswer { query_id, result })).await;
    }

    /// Waits for the end of the session and says why it came.
    pub async fn ended(&mut self) -> Status {
        loop {
            if let Err(status) = self.next().await {
                return status;
            }
        }
    }

    pub async fn assigned(&mut self) -> Assignment {
        let json = self
            .wait(|message| match message {
                to_delegate::Message::Assign(assign) => Some(assign.assignment_json.clone()),
                _ => None,
            })
            .await;
        from_json("assignment", &json).expect("an assignment")
    }

    pub async fn cancelled(&mut self) -> String {
        self.wait(|message| match message {
            to_delegate::Message::Cancel(cancel) => Some(cancel.task.clone()),
            _ => None,
        })
        .await
    }

    /// Reports and waits for the acknowledgement; empty unless it was refused.
    pub async fn report(&mut self, task: TaskKey, report: TaskReport) -> String {
        let report_json = to_json(&report);
        self.say(from_delegate::Message::Report(delegate::Report { task: task.to_string(), report_json })).await;
        self.wait(|message| match message {
            to_delegate::Message::ReportAck(ack) if ack.task == task.to_string() => Some(ack.rejection.clone()),
            _ => None,
        })
        .await
    }

    pub async fn succeed(&mut self, task: TaskKey) -> String {
        self.report(task, TaskReport::Succeeded { output: StepOutput::Nothing }).await
    }

    pub async fn fail(&mut self, task: TaskKey) -> String {
        let failure = Failure::refused(FailureKind::Application, "on purpose");
        self.report(task, TaskReport::Failed { failure }).await
    }

    pub async fn checkpoint(&mut self, task: TaskKey, number: u32, checkpoint: &Checkpoint) -> String {
        let checkpoint_json = to_json(checkpoint);
        let message = delegate::Checkpoint { task: task.to_string(), number, checkpoint_json };
        self.say(from_delegate::Message::Checkpoint(message)).await;
        self.wait(|message| match message {
            to_delegate::Message::CheckpointAck(ack) if ack.number == number => Some(ack.rejection.clone()),
            _ => None,
        })
        .await
    }

    /// Whether it was told to renew its certificate, as far as it has read.
    pub fn was_told_to_renew(&self) -> bool {
        self.aside.iter().any(|message| matches!(message, to_delegate::Message::Renew(_)))
    }

    /// Whether a report of this task was acknowledged, as far as it has read.
    pub fn was_acknowledged(&self, task: TaskKey) -> bool {
        let task = task.to_string();
        self.aside.iter().any(|message| matches!(message, to_delegate::Message::ReportAck(ack) if ack.task == task))
    }

    /// A heartbeat and its acknowledgement.
    pub async fn beat(&mut self, draining: bool) {
        self.beats += 1;
        let number = self.beats;
        self.say(from_delegate::Message::Heartbeat(delegate::Heartbeat { number, draining, ..delegate::Heartbeat::default() }))
            .await;
        self.wait(|message| match message {
            to_delegate::Message::HeartbeatAck(ack) if ack.number == number => Some(()),
            _ => None,
        })
        .await;
    }

    /// Leaves on purpose.
    pub async fn goodbye(self) {
        self.say(from_delegate::Message::Goodbye(delegate::Goodbye { reason: "the test says so".into() })).await;
        let Self { up, mut down, .. } = self;
        drop(up);
        while let Ok(Some(_)) = down.message().await {}
    }
}
