//! The listeners' sockets: opened and closed as the picture says. What a connection to one is for is seen when it comes: a listener
//! that becomes secure keeps its socket.

use std::{collections::BTreeMap, convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

use super::{
    choice::Turns,
    forward::Forwarder,
    routes::{Protocol, Routes},
    splice::Flow,
};
use crate::sim::simulator::World;

/// How long a client may take to agree on TLS, in real time.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// All listeners.
pub struct Listeners {
    door: Arc<Door>,
    pictures: watch::Sender<Arc<Routes>>,
    open: BTreeMap<SocketAddr, (CancellationToken, JoinSet<()>)>,
}

/// What every connection needs.
struct Door {
    world: Arc<World>,
    forwarder: Forwarder,
    pictures: watch::Receiver<Arc<Routes>>,
    turns: Arc<Turns>,
}

impl Listeners {
    /// None yet.
    pub fn new(world: Arc<World>) -> Self {
        let (pictures, newest) = watch::channel(Arc::<Routes>::default());
        let turns = Arc::<Turns>::default();
        let forwarder = Forwarder::new(Arc::clone(&world), newest.clone(), Arc::clone(&turns));
        let door = Arc::new(Door { world, forwarder, pictures: newest, turns });
        Self { door, pictures, open: BTreeMap::new() }
    }

    /// Takes over a picture: what is routed changes at once, for requests on open connections too.
    pub async fn follow(&mut self, routes: Arc<Routes>) {
        self.pictures.send_replace(Arc::clone(&routes));
        for address in routes.listeners.keys() {
            if !self.open.contains_key(address) {
                match TcpListener::bind(address).await {
                    Ok(listener) => {
                        let closing = CancellationToken::new();
                        let mut accepting = JoinSet::new();
                        accepting.spawn(accept(listener, *address, Arc::clone(&self.door), closing.clone()));
                        self.open.insert(*address, (closing, accepting));
                    }
                    Err(error) => tracing::error!(%address, %error, "the listener's socket can't be opened"),
                }
            }
        }
        let gone: Vec<SocketAddr> = self.open.keys().filter(|address| !routes.listeners.contains_key(address)).copied().collect();
        for address in gone {
            if let Some((closing, mut accepting)) = self.open.remove(&address) {
                closing.cancel();
                while accepting.join_next().await.is_some() {}
            }
        }
    }

    /// Closes all.
    pub async fn close(&mut self) {
        while let Some((_, (closing, mut accepting))) = self.open.pop_first() {
            closing.cancel();
            while accepting.join_next().await.is_some() {}
        }
    }
}

async fn accept(listener: TcpListener, address: SocketAddr, door: Arc<Door>, closing: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = closing.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, client)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                connections.spawn(Arc::clone(&door).connection(address, client, stream));
            }
        }
    }
}

impl Door {
    async fn connection(self: Arc<Self>, listener: SocketAddr, client: SocketAddr, stream: TcpStream) {
        let protocol = self.pictures.borrow().listeners.get(&listener).map(|route| route.protocol.clone());
        match protocol {
            Some(Protocol::Http) => self.http(listener, client, stream).await,
            Some(Protocol::Https(certificate)) => {
                if !begins_tls(&stream).await {
                    refuse_plain(stream).await;
                } else if let Some(stream) = self.secured(listener, (&certificate, true), stream).await {
                    self.http(listener, client, stream).await;
                }
            }
            Some(Protocol::Tcp) => self.flow(listener, client, stream).await,
            Some(Protocol::Tls(certificate)) => {
                if let Some(stream) = self.secured(listener, (&certificate, false), stream).await {
                    self.flow(listener, client, stream).await;
                }
            }
            None => {}
        }
    }

    /// Ends TLS here; none: the client did not agree, which is its matter.
    async fn secured(
        &self,
        listener: SocketAddr,
        (certificate, http): (&str, bool),
        stream: TcpStream,
    ) -> Option<TlsStream<TcpStream>> {
        let config = self.world.authority.server(listener, certificate, http);
        let config = config.inspect_err(|error| tracing::error!(%listener, %error, "a listener has no certificate")).ok()?;
        tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await.ok()?.ok()
    }

    async fn flow(&self, listener: SocketAddr, client: SocketAddr, stream: impl AsyncRead + AsyncWrite + Unpin) {
        Flow { listener, client }.carry(&self.world, &self.turns, self.pictures.clone(), stream).await;
    }

    async fn http(self: Arc<Self>, listener: SocketAddr, client: SocketAddr, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(move |request| {
            let door = Arc::clone(&self);
            async move { Ok::<_, Infallible>(door.forwarder.handle(listener, client, request).await) }
        });
        // AWS's default idle time-out of an Application Load Balancer is 60 s.
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(60))
            .serve_connection(TokioIo::new(stream), service);
        // A connection that breaks is its client's matter.
        let _ = connection.await;
    }
}

/// Whether a client's first byte is that of a TLS handshake; false too if none comes.
async fn begins_tls(stream: &TcpStream) -> bool {
    let mut first = [0];
    let peeked = tokio::time::timeout(HANDSHAKE, stream.peek(&mut first)).await;
    matches!(peeked, Ok(Ok(1))) && first[0] == 0x16
}

/// Tells a client that speaks plain HTTP what it did, as AWS does.
async fn refuse_plain(mut stream: TcpStream) {
    const PAGE: &str = "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>\n";
    let length = PAGE.len();
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\nserver: awselb/2.0\r\ncontent-type: text/html\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    // A client that has gone needs no answer.
    let _ = stream.write_all(format!("{head}{PAGE}").as_bytes()).await;
    let _ = stream.shutdown().await;
    // What it still sends is read: unread bytes would reset the connection before it has read the answer.
    let _ = tokio::time::timeout(Duration::from_secs(1), tokio::io::copy(&mut stream, &mut tokio::io::sink())).await;
}
