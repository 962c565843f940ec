//! A control plane that does what a test says: enrols, renews, stores log lines, and hands each session to the test.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use domain::{ids::DelegateId, limits::MESSAGE_BYTES};
use proto::delegate::{
    EnrollRequest, EnrollResponse, FromDelegate, Hello, LogAck, LogChunk, RenewRequest, RenewResponse, ToDelegate, Welcome,
    delegate_gateway_server::{DelegateGateway, DelegateGatewayServer},
    from_delegate::Message as Up,
    to_delegate::Message as Down,
};
use runtime::{
    clock::{Clock, SystemClock},
    tasks::Tasks,
    tls::{self, AcceptLimits, Authority, Peer},
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, transport::Server};
use uuid::Uuid;

/// No wait in these tests is longer, however busy the machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What the control plane knows. Survives a restart of the server.
pub struct Memory {
    pub authority: Authority,
    pub certificate_life: Duration,
    pub tokens: Mutex<Vec<String>>,
    pub enrolled: AtomicU32,
    pub renewals: watch::Sender<u32>,
    /// Lines by task, as they are durable.
    pub lines: Mutex<BTreeMap<String, Vec<String>>>,
    /// Changes with every durable line.
    pub stored: watch::Sender<u64>,
    /// So many chunks from now are swallowed, and their stream is broken.
    pub swallow_chunks: AtomicU32,
    sessions: mpsc::Sender<Conversation>,
}

/// A running server.
pub struct Gateway {
    pub address: SocketAddr,
    pub memory: Arc<Memory>,
    pub sessions: mpsc::Receiver<Conversation>,
    tasks: Tasks,
}

impl Gateway {
    /// A new control plane whose certificates for delegates live so long.
    pub async fn start(certificate_life: Duration) -> Self {
        tls::install_provider();
        let (authority, _) = Authority::create(SystemClock::new().now_ms(), &mut rand::rng()).expect("an authority");
        let (sessions, receiver) = mpsc::channel(16);
        let memory = Arc::new(Memory {
            authority,
            certificate_life,
            tokens: Mutex::default(),
            enrolled: AtomicU32::new(0),
            renewals: watch::Sender::new(0),
            lines: Mutex::default(),
            stored: watch::Sender::new(0),
            swallow_chunks: AtomicU32::new(0),
            sessions,
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let tasks = serve(listener, memory.clone());
        Self { address, memory, sessions: receiver, tasks }
    }

    /// Ends the server with all its connections and starts it again at the same address.
    pub async fn restart(&mut self) {
        self.tasks.drain(PATIENCE).await.expect("ends");
        let listener = TcpListener::bind(self.address).await.expect("the port is free");
        self.tasks = serve(listener, self.memory.clone());
    }

    /// The next session, not greeted yet.
    pub async fn session(&mut self) -> Conversation {
        in_time("a session", self.sessions.recv()).await.expect("the server runs")
    }

    /// The next session, greeted: a lease of 10 s with a heartbeat each 100 ms.
    pub async fn connected(&mut self) -> Conversation {
        let mut session = self.session().await;
        session.welcome(10_000, 100, &[]).await;
        session
    }

    /// Waits until these lines of a task are durable, and no others.
    pub async fn lines(&self, task: &str, expected: &[String]) {
        let mut stored = self.memory.stored.subscribe();
        let all =
            stored.wait_for(|_| self.memory.lines.lock().expect("whole").get(task).is_some_and(|l| l.len() >= expected.len()));
        drop(in_time("log lines", all).await.expect("the server runs"));
        assert_eq!(self.memory.lines.lock().expect("whole")[task], expected);
    }
}

fn serve(listener: TcpListener, memory: Arc<Memory>) -> Tasks {
    let tasks = Tasks::new(CancellationToken::new());
    let day = Duration::from_secs(86_400);
    let now = SystemClock::new().now_ms();
    let server = memory.authority.server_certificate(&["127.0.0.1".into()], now, day, &mut rand::rng()).expect("a certificate");
    let config = tls::server_config(&server, Some(memory.authority.certificate_pem())).expect("TLS");
    let incoming = tls::accept(&tasks, "gateway", listener, Arc::new(ArcSwap::from_pointee(config)), AcceptLimits::default());
    let service = DelegateGatewayServer::new(Service { memory, end: tasks.token().clone() });
    let service = service.max_decoding_message_size(MESSAGE_BYTES);
    let end = tasks.token().clone();
    tasks.spawn("server", async move {
        let server = Server::builder().add_service(service);
        server.serve_with_incoming_shutdown(incoming, end.cancelled_owned()).await.expect("serves");
    });
    tasks
}

/// Waits, but not for ever.
pub async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

struct Service {
    memory: Arc<Memory>,
    end: CancellationToken,
}

fn delegate_of<T>(request: &Request<T>) -> Result<DelegateId, Status> {
    let peer = request.extensions().get::<Peer>().expect("every connection has a peer");
    let certificate = peer.certificate.as_ref().ok_or_else(|| Status::unauthenticated("no certificate"))?;
    Ok(certificate.delegate)
}

impl Service {
    fn certificate(&self, request: &str, delegate: DelegateId) -> Result<String, Status> {
        let (now, life) = (SystemClock::new().now_ms(), self.memory.certificate_life);
        let issued = self.memory.authority.delegate_certificate(request, delegate, now, life, &mut rand::rng());
        issued.map(|issued| issued.certificate_pem).map_err(|error| Status::invalid_argument(error.to_string()))
    }
}

#[tonic::async_trait]
impl DelegateGateway for Service {
    type SessionStream = Answers<ToDelegate>;
    type ShipLogsStream = Answers<LogAck>;

    async fn enroll(&self, request: Request<EnrollRequest>) -> Result<Response<EnrollResponse>, Status> {
        let request = request.into_inner();
        let mut tokens = self.memory.tokens.lock().expect("whole");
        let position = tokens.iter().position(|token| *token == request.join_token);
        tokens.swap_remove(position.ok_or_else(|| Status::unauthenticated("no such join token"))?);
        drop(tokens);
        let delegate = DelegateId::new(Uuid::now_v7());
        let certificate = self.certificate(&request.certificate_request, delegate)?;
        self.memory.enrolled.fetch_add(1, Ordering::SeqCst);
        let authorities = self.memory.authority.certificate_pem().to_owned();
        Ok(Response::new(EnrollResponse { delegate_id: delegate.to_string(), certificate, authorities }))
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        let delegate = delegate_of(&request)?;
        let certificate = self.certificate(&request.get_ref().certificate_request, delegate)?;
        self.memory.renewals.send_modify(|count| *count += 1);
        Ok(Response::new(RenewResponse { certificate, authorities: self.memory.authority.certificate_pem().to_owned() }))
    }

    async fn session(&self, request: Request<Streaming<FromDelegate>>) -> Result<Response<Self::SessionStream>, Status> {
        let delegate = delegate_of(&request)?;
        let (down, answers) = mpsc::channel(64);
        let conversation = Conversation {
            delegate,
            up: request.into_inner(),
            down,
            answer_heartbeats: true,
            heartbeats: Vec::new(),
            end: self.end.clone(),
        };
        self.memory.sessions.send(conversation).await.map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn ship_logs(&self, request: Request<Streaming<LogChunk>>) -> Result<Response<Self::ShipLogsStream>, Status> {
        delegate_of(&request)?;
        let mut chunks = request.into_inner();
        let memory = self.memory.clone();
        let (sender, answers) = mpsc::channel(64);
        let end = self.end.clone();
        // Owned by the stream it answers: it ends with it.
        Tasks::new(CancellationToken::new()).spawn(
            "logs",
            end.run_until_cancelled_owned(async move {
                while let Ok(Some(chunk)) = chunks.message().await {
                    let swallow = |left: u32| left.checked_sub(1);
                    if memory.swallow_chunks.fetch_update(Ordering::SeqCst, Ordering::SeqCst, swallow).is_ok() {
                        return;
                    }
                    let answer = memory.store(chunk);
                    if sender.send(Ok(answer)).await.is_err() {
                        return;
                    }
                }
            }),
        );
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }
}

impl Memory {
    /// Stores lines once and in order, as the real log store does.
    fn store(&self, chunk: LogChunk) -> LogAck {
        let mut lines = self.lines.lock().expect("whole");
        let stored = lines.entry(chunk.task.clone()).or_default();
        let next = |stored: &Vec<String>| u64::try_from(stored.len()).expect("few");
        if chunk.first > next(stored) {
            let hole = chunk.first - next(stored);
            assert!(chunk.dropped >= hole, "a hole of {hole} lines that nobody told of");
            stored.extend((0..hole).map(|_| "(lost)".to_owned()));
        }
        for (number, line) in (chunk.first..).zip(chunk.lines) {
            if number == next(stored) {
                stored.push(line.text);
            }
        }
        let next = next(stored);
        drop(lines);
        self.stored.send_modify(|count| *count += 1);
        LogAck { task: chunk.task, next, rejection: String::new() }
    }
}

/// One session, as the control plane sees it.
pub struct Conversation {
    pub delegate: DelegateId,
    pub answer_heartbeats: bool,
    /// What was in the heartbeats heard so far.
    pub heartbeats: Vec<proto::delegate::Heartbeat>,
    up: Streaming<FromDelegate>,
    down: mpsc::Sender<Result<ToDelegate, Status>>,
    end: CancellationToken,
}

impl Conversation {
    pub async fn say(&self, message: Down) {
        self.down.send(Ok(ToDelegate { message: Some(message) })).await.expect("the delegate listens");
    }

    /// The next message that is no heartbeat; none when the delegate ended the stream.
    pub async fn hear_or_end(&mut self) -> Option<Up> {
        loop {
            let message = tokio::select! {
                message = in_time("a message", self.up.message()) => message.ok().flatten()?.message.expect("a known message"),
                () = self.end.cancelled() => return None,
            };
            match message {
                Up::Heartbeat(heartbeat) => self.heartbeat(heartbeat).await,
                message => return Some(message),
            }
        }
    }

    pub async fn hear(&mut self) -> Up {
        self.hear_or_end().await.expect("the stream goes on")
    }

    /// Waits for a heartbeat that is as `wanted` says.
    pub async fn heartbeat_with(&mut self, wanted: impl Fn(&proto::delegate::Heartbeat) -> bool) {
        in_time("a heartbeat", async {
            loop {
                match self.up.message().await.expect("the stream stands").expect("goes on").message {
                    Some(Up::Heartbeat(heartbeat)) => {
                        let found = wanted(&heartbeat);
                        self.heartbeat(heartbeat).await;
                        if found {
                            return;
                        }
                    }
                    other => panic!("a heartbeat was expected, not {other:?}"),
                }
            }
        })
        .await;
    }

    async fn heartbeat(&mut self, heartbeat: proto::delegate::Heartbeat) {
        let number = heartbeat.number;
        self.heartbeats.push(heartbeat);
        if self.answer_heartbeats {
            // The delegate may have ended the stream behind this heartbeat.
            let answer = Down::HeartbeatAck(proto::delegate::HeartbeatAck { number });
            let _ = self.down.send(Ok(ToDelegate { message: Some(answer) })).await;
        }
    }

    pub async fn welcome(&mut self, lease_ms: u64, heartbeat_ms: u64, revoked: &[&str]) -> Hello {
        let Up::Hello(hello) = self.hear().await else { panic!("the first message is a hello") };
        let revoked_tasks = revoked.iter().map(ToString::to_string).collect();
        self.say(Down::Welcome(Welcome { lease_ms, heartbeat_ms, revoked_tasks })).await;
        hello
    }
}
