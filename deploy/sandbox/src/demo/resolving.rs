//! Names for the load generator: a resolver that nobody here wrote, asking the simulated name server only.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use hickory_resolver::{
    TokioResolver,
    config::{NameServerConfigGroup, ResolverConfig},
    name_server::TokioConnectionProvider,
};
use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

/// Resolves through one name server.
#[derive(Clone)]
pub struct Resolving(TokioResolver);

impl Resolving {
    /// Through this one.
    pub fn through(name_server: SocketAddr) -> Self {
        let servers = NameServerConfigGroup::from_ips_clear(&[name_server.ip()], name_server.port(), true);
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        Self(TokioResolver::builder_with_config(config, TokioConnectionProvider::default()).build())
    }
}

impl Service<Name> for Resolving {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.0.clone();
        Box::pin(async move {
            // With the dot at its end the name is whole: no search list is tried.
            let found = resolver.lookup_ip(format!("{name}.")).await.map_err(io::Error::other)?;
            let addresses: Vec<SocketAddr> = found.iter().map(|address| SocketAddr::from((address, 0))).collect();
            Ok(addresses.into_iter())
        })
    }
}
