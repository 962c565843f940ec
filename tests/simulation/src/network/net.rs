//! Who can reach whom: every delegate's host has a path to the control plane, which listens or does not.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use domain::ids::DelegateId;
use runtime::{
    gate::{Gate, Standing},
    tls::{ClientCertificate, Peer},
};
use tokio::sync::mpsc;

use super::{Lane, SimStream, pipe::Pipe};

/// Both directions between a delegate's host and the control plane's.
pub struct Path {
    /// To the control plane.
    pub up: Arc<Lane>,
    /// From it.
    pub down: Arc<Lane>,
    /// Whose certificate this host shows.
    pub delegate: DelegateId,
}

/// The network.
#[derive(Default)]
pub struct Net(Mutex<State>);

#[derive(Default)]
struct State {
    listener: Option<(Gate, mpsc::Sender<io::Result<SimStream>>)>,
    connections: Vec<Connection>,
}

struct Connection {
    client: Gate,
    server: Gate,
    up: Weak<Pipe>,
    down: Weak<Pipe>,
}

impl Net {
    /// The control plane listens from now on, as the process behind `gate`.
    pub fn listen(&self, gate: Gate) -> mpsc::Receiver<io::Result<SimStream>> {
        let (connections, incoming) = mpsc::channel(64);
        self.lock().listener = Some((gate, connections));
        incoming
    }

    /// It does not any more.
    pub fn deaf(&self) {
        self.lock().listener = None;
    }

    /// A connection from the process behind `gate`.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(&self, path: &Path, gate: Gate) -> io::Result<SimStream> {
        for lane in [&path.up, &path.down] {
            lane.open().await;
            tokio::time::sleep(lane.delay()).await;
            lane.open().await;
        }
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let mut state = self.lock();
        let (server, listener) = state.listener.clone().ok_or_else(refused)?;
        let (up, down) = (Arc::new(Pipe::new(path.up.clone())), Arc::new(Pipe::new(path.down.clone())));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let certificate = ClientCertificate { delegate: path.delegate, serial: "1".into(), not_after_ms: i64::MAX };
        let theirs = SimStream {
            incoming: up.clone(),
            outgoing: down.clone(),
            gate: server.clone(),
            peer: Peer { address, certificate: Some(Arc::new(certificate)) },
            until: None,
        };
        listener.try_send(Ok(theirs)).map_err(|_| refused())?;
        state.connections.retain(|connection| connection.up.strong_count() > 0);
        let (weak_up, weak_down) = (Arc::downgrade(&up), Arc::downgrade(&down));
        state.connections.push(Connection { client: gate.clone(), server, up: weak_up, down: weak_down });
        Ok(SimStream { incoming: down, outgoing: up, gate, peer: Peer { address, certificate: None }, until: None })
    }

    /// The host of killed processes says that their connections are gone. (A host that died with them says nothing.)
    pub fn bury(&self) {
        for connection in &self.lock().connections {
            let dead = |gate: &Gate| gate.standing() == Standing::Killed;
            if dead(&connection.client) || dead(&connection.server) {
                [&connection.up, &connection.down].into_iter().filter_map(Weak::upgrade).for_each(|pipe| pipe.reset());
            }
        }
    }

    /// A middlebox forgets every connection: both ends of each are told so at their next word.
    pub fn reset_all(&self) {
        for connection in &self.lock().connections {
            [&connection.up, &connection.down].into_iter().filter_map(Weak::upgrade).for_each(|pipe| pipe.reset());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
