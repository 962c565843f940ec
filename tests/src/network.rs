//! A network between two processes that can be made worse: cut, silent in one direction or both, or slow.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

/// How the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// What the client says arrives.
    pub up: bool,
    /// What the server says arrives.
    pub down: bool,
    /// Connections end, and none begins.
    pub cut: bool,
    /// How long everything takes in each direction.
    pub delay: Duration,
}

impl Weather {
    /// Everything arrives, at once.
    pub const FINE: Self = Self { up: true, down: true, cut: false, delay: Duration::ZERO };
    /// Nothing arrives, and nobody is told: a partition.
    pub const SILENT: Self = Self { up: false, down: false, ..Self::FINE };
    /// What the client says does not arrive.
    pub const DEAF: Self = Self { up: false, ..Self::FINE };
    /// What the server says does not arrive.
    pub const MUTE: Self = Self { down: false, ..Self::FINE };
    /// Connections are reset.
    pub const CUT: Self = Self { cut: true, ..Self::FINE };
}

/// A way to a port of this machine. Ends when it is dropped. What does not arrive now arrives when the weather is fine again, as TCP has
/// it.
pub struct Link {
    port: u16,
    weather: watch::Sender<Weather>,
    _tasks: JoinSet<()>,
}

impl Link {
    /// A link to `port` in fine weather.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn to(port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let own = listener.local_addr()?.port();
        let (weather, seen) = watch::channel(Weather::FINE);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, port, seen));
        Ok(Self { port: own, weather, _tasks: tasks })
    }

    /// Where a delegate finds the control plane at its other end.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// From now on the network is so.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn accept(listener: TcpListener, port: u16, mut weather: watch::Receiver<Weather>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let seen = *weather.borrow_and_update();
        if seen.cut {
            continue;
        }
        while connections.try_join_next().is_some() {}
        connections.spawn(carry(client, port, weather.clone()));
    }
}

/// Carries one connection until either side or the weather ends it.
async fn carry(client: TcpStream, port: u16, weather: watch::Receiver<Weather>) {
    let mut until_cut = weather.clone();
    let mut until_fine = weather.clone();
    let carried = async {
        // A connection is made when something can pass.
        if until_fine.wait_for(|weather| weather.up && weather.down).await.is_err() {
            return;
        }
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
        // A client that can't be told apart is no reason to stop.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        let up = pump(from_client, to_server, weather.clone(), |weather| weather.up);
        let down = pump(from_server, to_client, weather.clone(), |weather| weather.down);
        tokio::select! {
            () = up => {}
            () = down => {}
        }
    };
    tokio::select! {
        () = carried => {}
        _ = until_cut.wait_for(|weather| weather.cut) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    open: fn(&Weather) -> bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        let Ok(delay) = weather.wait_for(open).await.map(|weather| weather.delay) else { return };
        tokio::time::sleep(delay).await;
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
