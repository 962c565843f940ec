//! The sockets: one datagram one question; over TCP every message after its length.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::answer::answer;
use crate::sim::simulator::World;

/// The longest datagram that is read; questions are far shorter.
const DATAGRAM: usize = 4_096;
/// A TCP client may be silent for so long.
const SILENCE: Duration = Duration::from_secs(10);

/// Both sockets, on one port.
pub struct Sockets {
    udp: std::net::UdpSocket,
    tcp: std::net::TcpListener,
}

impl Sockets {
    /// Opens them. With port 0 on any port that is free for both.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let mut tried = 0;
        loop {
            let tcp = std::net::TcpListener::bind(address)?;
            tried += 1;
            match std::net::UdpSocket::bind(tcp.local_addr()?) {
                Ok(udp) => {
                    tcp.set_nonblocking(true)?;
                    udp.set_nonblocking(true)?;
                    return Ok(Self { udp, tcp });
                }
                // Free for the one and taken for the other: another one.
                Err(_) if address.port() == 0 && tried < 20 => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where they listen.
    pub fn address(&self) -> SocketAddr {
        self.tcp.local_addr().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}

/// Serves until `stop`. The connections' tasks are owned here and end with it.
pub async fn serve(sockets: Sockets, world: Arc<World>, stop: CancellationToken) {
    let (Ok(udp), Ok(tcp)) = (UdpSocket::from_std(sockets.udp), TcpListener::from_std(sockets.tcp)) else {
        tracing::error!("the name server's sockets can't be used");
        return;
    };
    let mut connections = JoinSet::new();
    let mut datagram = vec![0; DATAGRAM];
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            received = udp.recv_from(&mut datagram) => {
                let Ok((length, from)) = received else { continue };
                if let Some(reply) = answer(&world, &datagram[..length]) {
                    // A client that is gone needs no answer.
                    let _ = udp.send_to(&reply, from).await;
                }
            }
            accepted = tcp.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let world = Arc::clone(&world);
                connections.spawn(async move {
                    // One that breaks is its client's matter.
                    let _ = converse(stream, &world).await;
                });
            }
        }
    }
}

async fn converse(mut stream: TcpStream, world: &World) -> std::io::Result<()> {
    loop {
        let length = match tokio::time::timeout(SILENCE, stream.read_u16()).await {
            Ok(Ok(length)) => length,
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(()),
        };
        let mut question = vec![0; usize::from(length)];
        tokio::time::timeout(SILENCE, stream.read_exact(&mut question)).await??;
        let Some(reply) = answer(world, &question) else { return Ok(()) };
        let Ok(length) = u16::try_from(reply.len()) else { return Ok(()) };
        stream.write_u16(length).await?;
        stream.write_all(&reply).await?;
    }
}
