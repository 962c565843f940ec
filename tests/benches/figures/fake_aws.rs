//! An AWS that refuses everything and notes when it was asked: for the time from a person's request to the delegate's first call.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// It.
pub struct FakeAws {
    address: SocketAddr,
    asked: watch::Receiver<Option<Instant>>,
    _server: JoinSet<()>,
}

impl FakeAws {
    /// Listens on a free port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (first, asked) = watch::channel(None);
        let mut server = JoinSet::new();
        server.spawn(serve(listener, first));
        Ok(Self { address, asked, _server: server })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// When it was last asked, as it changes.
    pub fn asked(&self) -> watch::Receiver<Option<Instant>> {
        self.asked.clone()
    }
}

async fn serve(listener: TcpListener, asked: watch::Sender<Option<Instant>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let asked = asked.clone();
        connections.spawn(async move {
            let service = service_fn(move |_request| {
                asked.send_replace(Some(Instant::now()));
                let refusal = r#"{"__type":"AccessDeniedException","message":"not here"}"#;
                let response = Response::builder()
                    .status(400)
                    .header("content-type", "application/x-amz-json-1.1")
                    .header("x-amzn-requestid", "none")
                    .body(Full::new(Bytes::from_static(refusal.as_bytes())));
                async move { Ok::<_, Infallible>(response.expect("a plain response")) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
