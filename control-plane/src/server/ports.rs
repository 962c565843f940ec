//! The two ports: one for people and programs, one for delegates, each with its own certificate rules, limits and services.

use std::{error::Error, sync::Arc, time::Duration};

use domain::limits::MESSAGE_BYTES;
use proto::{
    DESCRIPTORS,
    api::{
        delegates_server::DelegatesServer, deployments_server::DeploymentsServer, discovery_server::DiscoveryServer,
        resources_server::ResourcesServer, server_server::ServerServer,
    },
    delegate::delegate_gateway_server::DelegateGatewayServer,
};
use runtime::{tasks::Tasks, tls::Accepting};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_stream::Stream;
use tonic::{
    service::interceptor::InterceptedService,
    transport::{
        Server,
        server::{Connected, Router},
    },
};
use tonic_health::pb::health_server::{Health, HealthServer};

use crate::{
    api::{ApiContext, Bearer, DelegatesService, DeploymentsService, DiscoveryService, ResourcesService, ServerService},
    dispatch::Gateway,
};

/// Bytes of headers that one call may have.
const HEADERS: u32 = 16 * 1024;
/// Bytes that one peer may send ahead on a stream, and on a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;
/// Streams that one connection may have open at once.
const STREAMS: u32 = 128;

fn server() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .http2_max_header_list_size(HEADERS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(STREAMS)
}

/// Serves people and programs: every service but health asks for a token.
pub(super) fn serve_api<H: Health>(
    tasks: &Tasks,
    accepting: Accepting,
    context: &Arc<ApiContext>,
    bearer: &Bearer,
    health: HealthServer<H>,
) -> Result<(), tonic_reflection::server::Error> {
    let context = || context.clone();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let resources = ResourcesServer::new(ResourcesService::new(context())).max_decoding_message_size(MESSAGE_BYTES);
    let deployments = DeploymentsServer::new(DeploymentsService::new(context())).max_decoding_message_size(MESSAGE_BYTES);
    let discovery = DiscoveryServer::new(DiscoveryService::new(context())).max_decoding_message_size(MESSAGE_BYTES);
    let delegates = DelegatesServer::new(DelegatesService::new(context())).max_decoding_message_size(MESSAGE_BYTES);
    let info = ServerServer::new(ServerService::new(context())).max_decoding_message_size(MESSAGE_BYTES);
    let router = server()
        .add_service(health)
        .add_service(InterceptedService::new(reflection, bearer.clone()))
        .add_service(InterceptedService::new(resources, bearer.clone()))
        .add_service(InterceptedService::new(deployments, bearer.clone()))
        .add_service(InterceptedService::new(discovery, bearer.clone()))
        .add_service(InterceptedService::new(delegates, bearer.clone()))
        .add_service(InterceptedService::new(info, bearer.clone()));
    serve(tasks, "api server", router, accepting);
    Ok(())
}

/// Serves delegates on the connections that come in, whose connect info is a [`runtime::tls::Peer`], until the tasks' token is
/// cancelled.
pub fn serve_delegates<C, E>(tasks: &Tasks, accepting: impl Stream<Item = Result<C, E>> + Send + 'static, gateway: Gateway)
where
    C: AsyncRead + AsyncWrite + Connected<ConnectInfo: Clone + Send + Sync + 'static> + Unpin + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let gateway = DelegateGatewayServer::new(gateway).max_decoding_message_size(MESSAGE_BYTES);
    serve(tasks, "delegate server", server().add_service(gateway), accepting);
}

fn serve<C, E>(tasks: &Tasks, name: &'static str, router: Router, accepting: impl Stream<Item = Result<C, E>> + Send + 'static)
where
    C: AsyncRead + AsyncWrite + Connected<ConnectInfo: Clone + Send + Sync + 'static> + Unpin + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let stop = tasks.token().clone();
    tasks.spawn(name, async move {
        if let Err(error) = router.serve_with_incoming_shutdown(accepting, stop.cancelled_owned()).await {
            tracing::error!(server = name, %error, "a server ended");
        }
    });
}
