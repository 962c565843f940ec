//! Accepting TLS connections: each handshake in a task of its own with a limit in time and number, so that a slow or silent
//! peer holds up nobody else. The configuration is looked up per connection: a new certificate or authority needs no restart
//! and drops no stream.
//!
//! ```text
//! listener --accept--> handshake task (at most N, 5 s each) --channel--> tonic's incoming
//! ```

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::ClientCertificate;
use crate::tasks::Tasks;

/// How long after a failed `accept` (no file descriptors left, say) the next one is tried.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections that are ready and that the server has not taken yet.
const READY: usize = 64;

/// Limits on connections that are not connections yet.
#[derive(Debug, Clone, Copy)]
pub struct AcceptLimits {
    /// How long a handshake may take.
    pub handshake: Duration,
    /// How many handshakes may run at once; further peers wait in the kernel's queue.
    pub in_flight: usize,
}

impl Default for AcceptLimits {
    fn default() -> Self {
        Self { handshake: Duration::from_secs(5), in_flight: 512 }
    }
}

/// Connections, as tonic takes them.
pub type Accepting = ReceiverStream<io::Result<Connection>>;

/// Accepts connections until the tasks' token is cancelled. A peer whose handshake fails, or whose verified certificate names no
/// delegate, is refused and logged; the stream goes on.
pub fn accept(
    tasks: &Tasks,
    name: &'static str,
    listener: TcpListener,
    config: Arc<ArcSwap<ServerConfig>>,
    limits: AcceptLimits,
) -> Accepting {
    let (ready, connections) = mpsc::channel(READY);
    let spawner = tasks.clone();
    tasks.spawn_until_cancelled(name, async move {
        let slots = Arc::new(Semaphore::new(limits.in_flight));
        // The semaphore is never closed: an error cannot be.
        while let Ok(slot) = slots.clone().acquire_owned().await {
            let (stream, address) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(listener = name, %error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let acceptor = TlsAcceptor::from(config.load_full());
            let ready = ready.clone();
            spawner.spawn_until_cancelled("tls handshake", async move {
                let shaken = tokio::time::timeout(limits.handshake, handshake(acceptor, stream, address)).await;
                drop(slot);
                match shaken {
                    // A server that no longer takes connections is stopping.
                    Ok(Ok(connection)) => drop(ready.send(Ok(connection)).await),
                    Ok(Err(error)) => tracing::info!(listener = name, peer = %address, %error, "refused a connection"),
                    Err(_) => tracing::info!(listener = name, peer = %address, "refused a connection: no handshake in time"),
                }
            });
        }
    });
    ReceiverStream::new(connections)
}

async fn handshake(acceptor: TlsAcceptor, stream: TcpStream, address: SocketAddr) -> io::Result<Connection> {
    stream.set_nodelay(true)?;
    let stream = acceptor.accept(stream).await?;
    let certificate = match stream.get_ref().1.peer_certificates().and_then(<[_]>::first) {
        None => None,
        Some(der) => Some(Arc::new(ClientCertificate::parse(der).map_err(io::Error::other)?)),
    };
    Ok(Connection { stream: Box::new(stream), peer: Peer { address, certificate } })
}

/// Who is at the other end; an extension of every request on the connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where the connection comes from.
    pub address: SocketAddr,
    /// The delegate's certificate, verified by TLS; none if it presented none.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// An accepted connection.
pub struct Connection {
    stream: Box<TlsStream<TcpStream>>,
    peer: Peer,
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
