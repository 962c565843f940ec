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

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use rand::{SeedableRng, rngs::StdRng};
    use rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    };
    use tokio_rustls::{TlsConnector, client};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::tls::{Authority, install_provider, server_config};

    /// No test takes this long.
    const LIMIT: Duration = Duration::from_secs(10);

    fn authority(seed: u64) -> Authority {
        let now_ms = crate::clock::Clock::now_ms(&crate::clock::SystemClock::new());
        Authority::create(now_ms, &mut StdRng::seed_from_u64(seed)).expect("an authority").0
    }

    fn config(authority: &Authority) -> ServerConfig {
        let now_ms = crate::clock::Clock::now_ms(&crate::clock::SystemClock::new());
        let names = ["localhost".to_owned()];
        let life = Duration::from_secs(3600);
        let identity = authority.server_certificate(&names, now_ms, life, &mut StdRng::seed_from_u64(9));
        server_config(&identity.expect("a certificate"), None).expect("a configuration")
    }

    async fn connect(address: SocketAddr, authority: &Authority) -> io::Result<client::TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes()).expect("PEM")).expect("a root");
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    #[tokio::test]
    async fn silent_peers_hold_up_nobody_for_longer_than_a_handshake_may_take() {
        install_provider();
        let authority = authority(1);
        let tasks = Tasks::new(CancellationToken::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("an address");
        let limits = AcceptLimits { handshake: Duration::from_millis(200), in_flight: 3 };
        let shared = Arc::new(ArcSwap::from_pointee(config(&authority)));
        let mut accepting = accept(&tasks, "test", listener, shared, limits);
        let silent = futures::future::join_all((0..2).map(|_| TcpStream::connect(address))).await;
        let ready = async { accepting.next().await.expect("goes on").expect("a connection") };
        // Two of three slots are taken by silent peers: the third is free at once.
        let (connected, connection) =
            tokio::time::timeout(LIMIT, async { tokio::join!(connect(address, &authority), ready) }).await.expect("in time");
        assert!(connected.is_ok() && connection.peer.certificate.is_none());
        // All slots are taken: they are free again when the silent ones' time is over.
        let more = futures::future::join_all((0..3).map(|_| TcpStream::connect(address))).await;
        let ready = async { accepting.next().await.expect("goes on").expect("a connection") };
        let (connected, _) =
            tokio::time::timeout(LIMIT, async { tokio::join!(connect(address, &authority), ready) }).await.expect("in time");
        assert!(connected.is_ok());
        drop((silent, more));
        tasks.drain(LIMIT).await.expect("ends");
        assert!(accepting.next().await.is_none());
    }

    #[tokio::test]
    async fn a_new_certificate_is_used_from_the_next_connection_on() {
        install_provider();
        let (old, new) = (authority(1), authority(2));
        let tasks = Tasks::new(CancellationToken::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(ArcSwap::from_pointee(config(&old)));
        let _accepting = accept(&tasks, "test", listener, shared.clone(), AcceptLimits::default());
        let before = connect(address, &old).await.expect("the old one is trusted");
        shared.store(Arc::new(config(&new)));
        connect(address, &new).await.expect("the new one is shown");
        assert!(connect(address, &old).await.is_err());
        drop(before);
        tasks.drain(LIMIT).await.expect("ends");
    }
}
