//! The listeners' sockets: opened and closed as the picture says.

use std::{collections::BTreeMap, convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{forward::Forwarder, routes::Routes};
use crate::sim::simulator::World;

/// All listeners.
pub struct Listeners {
    forwarder: Arc<Forwarder>,
    routes: Arc<ArcSwap<Routes>>,
    open: BTreeMap<SocketAddr, (CancellationToken, JoinSet<()>)>,
}

impl Listeners {
    /// None yet.
    pub fn new(world: Arc<World>) -> Self {
        let routes = Arc::new(ArcSwap::from_pointee(Routes::default()));
        Self { forwarder: Arc::new(Forwarder::new(world, Arc::clone(&routes))), routes, open: BTreeMap::new() }
    }

    /// Takes over a picture: what is routed changes at once, for requests on open connections too.
    pub async fn follow(&mut self, routes: Arc<Routes>) {
        self.routes.store(Arc::clone(&routes));
        for address in routes.listeners.keys() {
            if !self.open.contains_key(address) {
                match TcpListener::bind(address).await {
                    Ok(listener) => {
                        let closing = CancellationToken::new();
                        let mut accepting = JoinSet::new();
                        accepting.spawn(accept(listener, *address, Arc::clone(&self.forwarder), closing.clone()));
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

async fn accept(listener: TcpListener, address: SocketAddr, forwarder: Arc<Forwarder>, closing: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = closing.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, client)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                let forwarder = Arc::clone(&forwarder);
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let forwarder = Arc::clone(&forwarder);
                        async move { Ok::<_, Infallible>(forwarder.handle(address, client, request).await) }
                    });
                    // AWS's default idle time-out of an Application Load Balancer is 60 s.
                    let connection = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(Duration::from_secs(60))
                        .serve_connection(TokioIo::new(stream), service);
                    // A connection that breaks is its client's matter.
                    let _ = connection.await;
                });
            }
        }
    }
}
