//! Networks that are not what everybody's are: without IPv4, and with certificates of their own.

use std::{net::Ipv6Addr, path::Path, sync::Arc};

use sandbox::world::{DelegateOptions, World, WorldSettings};
use tests::{
    deployments::{deploy_well, segue},
    programs::programs,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

#[tokio::test]
async fn people_and_delegates_reach_a_control_plane_that_has_no_address_but_one_of_ipv6() -> anyhow::Result<()> {
    let loopback = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await;
    assert!(loopback.is_ok(), "this test needs the IPv6 loopback: enable it (sysctl net.ipv6.conf.lo.disable_ipv6=0)");
    let settings = WorldSettings { address: Ipv6Addr::LOCALHOST.into(), ..WorldSettings::default() };
    let mut world = World::start(programs(), settings).await?;
    let context = std::fs::read_to_string(world.context_file())?;
    assert!(context.contains("server: https://[::1]:"), "{context}");
    deploy_well(&world, "1").await?;
    // The delegate finds its way back by the address alone, too.
    world.kill_server().await?;
    world.restart_server().await?;
    for delegate in ["delegate-1", "delegate-2"] {
        world.connected(delegate).await?;
    }
    deploy_well(&world, "2").await?;
    world.stop().await
}

/// TLS in front of the simulated AWS, with a certificate of an authority that no machine trusts; gives its port.
async fn tls_before(aws: String, folder: &Path) -> anyhow::Result<(u16, JoinSet<()>)> {
    use rand::SeedableRng as _;
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let now_ms = runtime::clock::Clock::now_ms(&runtime::clock::SystemClock::new());
    let (authority, _) = runtime::tls::Authority::create(now_ms, &mut rng)?;
    let day = std::time::Duration::from_secs(86_400);
    let server = authority.server_certificate(&["127.0.0.1".to_owned()], now_ms, day, &mut rng)?;
    std::fs::write(folder.join("bundle.pem"), authority.certificate_pem())?;
    let chain = vec![CertificateDer::from_pem_slice(server.certificate_pem.as_bytes())?];
    let key = PrivateKeyDer::from_pem_slice(server.key_pem.as_bytes())?;
    let acceptor = TlsAcceptor::from(Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut tunnels = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, aws) = (acceptor.clone(), aws.clone());
            tunnels.spawn(async move {
                // Whoever does not trust the certificate goes away during the handshake.
                if let (Ok(mut client), Ok(mut aws)) = (acceptor.accept(client).await, TcpStream::connect(aws).await) {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut aws).await;
                }
            });
        }
    });
    Ok((port, tasks))
}

#[tokio::test]
async fn a_delegate_trusts_for_aws_whom_its_bundle_names_and_nobody_else() -> anyhow::Result<()> {
    runtime::tls::install_provider();
    let folder = tempfile::tempdir()?;
    let mut world = World::start(programs(), WorldSettings { delegates: 0, ..WorldSettings::default() }).await?;
    let (port, _tasks) = tls_before(world.seed.endpoint.replace("http://", ""), folder.path()).await?;
    let environment = |bundle: Option<&Path>| {
        let mut environment = vec![("AWS_ENDPOINT_URL".to_owned(), format!("https://127.0.0.1:{port}"))];
        environment.extend(bundle.map(|file| ("AWS_CA_BUNDLE".to_owned(), file.to_string_lossy().into_owned())));
        DelegateOptions { environment, ..DelegateOptions::default() }
    };
    let bundle = folder.path().join("bundle.pem");

    // What is no bundle ends the start, and says so.
    let missing = folder.path().join("missing.pem");
    assert!(world.add_delegate_with(environment(Some(&missing))).await.is_err());
    let said = world.delegates[0].process.output();
    assert!(said.contains("missing.pem: No such file") && said.contains("AWS_CA_BUNDLE"), "{said}");

    // Without one, AWS is somebody whom this machine does not know: the step says that, and nothing was changed.
    world.add_delegate_with(environment(None)).await?;
    let refused = segue(&world, &["discover", "load-balancers", "--infrastructure", "prod-ecs"]).await?;
    assert_ne!(refused.code, 0);
    assert!(refused.all().contains("certificate"), "{}", refused.all());
    segue(&world, &["delegate", "drain", "delegate-2"]).await?;

    world.add_delegate_with(environment(Some(&bundle))).await?;
    deploy_well(&world, "1").await?;
    world.stop().await
}
