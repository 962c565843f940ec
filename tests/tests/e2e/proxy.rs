//! A delegate whose only way out is an HTTP proxy that asks for a password: it joins, works and renews through a tunnel.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sandbox::world::{DelegateOptions, World, WorldSettings};
use tests::{deployments::deploy_well, programs::programs};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// `user:pa ss` in the form of a URL, and as the proxy sees it.
const CREDENTIALS: (&str, &str) = ("user:pa%20ss", "Basic dXNlcjpwYSBzcw==");

/// A proxy that makes tunnels for whoever knows the password; gives its port and counts tunnels and refusals.
async fn proxy() -> anyhow::Result<(u16, Arc<[AtomicUsize; 2]>, JoinSet<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let (counts, mut tasks) = (Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]), JoinSet::new());
    let counted = counts.clone();
    tasks.spawn(async move {
        let mut tunnels = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            tunnels.spawn(tunnel(client, counted.clone()));
        }
    });
    Ok((port, counts, tasks))
}

async fn tunnel(client: TcpStream, counts: Arc<[AtomicUsize; 2]>) {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if !matches!(client.read_line(&mut head).await, Ok(1..)) {
            return;
        }
    }
    let known = head.lines().any(|line| {
        line.split_once(": ")
            .is_some_and(|(name, value)| name.eq_ignore_ascii_case("proxy-authorization") && value == CREDENTIALS.1)
    });
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).map(str::to_owned);
    let (Some(target), true) = (target, known) else {
        counts[1].fetch_add(1, Ordering::Relaxed);
        // Whoever was refused may be gone.
        let _ = client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
        return;
    };
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    counts[0].fetch_add(1, Ordering::Relaxed);
    if client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.is_ok() {
        // Either side may end it.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}

#[tokio::test]
async fn a_delegate_joins_and_works_through_the_proxy_of_its_environment() -> anyhow::Result<()> {
    let (port, counts, _tasks) = proxy().await?;
    let mut world = World::start(programs(), WorldSettings { delegates: 0, ..WorldSettings::default() }).await?;
    let environment = vec![("HTTPS_PROXY".to_owned(), format!("http://{}@127.0.0.1:{port}", CREDENTIALS.0))];
    world.add_delegate_with(DelegateOptions { environment, ..DelegateOptions::default() }).await?;
    deploy_well(&world, "1").await?;
    assert!(counts[0].load(Ordering::Relaxed) >= 2, "one tunnel to join, one for the session");
    assert_eq!(counts[1].load(Ordering::Relaxed), 0);
    let said = world.delegates[0].process.output();
    assert!(!said.contains("pa%20ss") && !said.contains("pa ss") && !said.contains("dXNlcj"), "{said}");
    world.stop().await
}
