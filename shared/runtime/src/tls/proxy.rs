//! Reaching a server through the proxy that the environment names, if it names one: `HTTPS_PROXY` or `ALL_PROXY`, except for what
//! `NO_PROXY` lists, in either case of letters. The proxy is asked for a tunnel (`CONNECT`), so TLS stays between us and the server.

use http::Uri;
use hyper_util::client::{
    legacy::connect::{HttpConnector, proxy::Tunnel},
    proxy::matcher::{Intercept, Matcher},
};
use tonic::transport::{Channel, Endpoint, Error};

/// Connects to an endpoint, through the environment's proxy where there is one for it.
///
/// # Errors
/// When there is no connection. The error's sources tell of the proxy, too.
pub async fn connect(endpoint: &Endpoint) -> Result<Channel, Error> {
    let Some(proxy) = proxy_for(&Matcher::from_env(), endpoint.uri()) else { return endpoint.connect().await };
    tracing::debug!(proxy = %shown(proxy.uri()), server = %endpoint.uri(), "connecting through a proxy");
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let mut tunnel = Tunnel::new(proxy.uri().clone(), connector);
    if let Some(credentials) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(credentials.clone());
    }
    endpoint.connect_with_connector(tunnel).await
}

/// A proxy that is spoken to in plain HTTP, which is what they all take; whatever passes it is encrypted.
fn proxy_for(matcher: &Matcher, server: &Uri) -> Option<Intercept> {
    let proxy = matcher.intercept(server)?;
    if proxy.uri().scheme_str() == Some("http") {
        return Some(proxy);
    }
    tracing::warn!(proxy = %shown(proxy.uri()), "only proxies with http:// addresses are used; connecting without one");
    None
}

/// Without what may be a password.
fn shown(proxy: &Uri) -> String {
    format!("{}://{}:{}", proxy.scheme_str().unwrap_or("http"), proxy.host().unwrap_or_default(), proxy.port_u16().unwrap_or(80))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(matcher: &Matcher, server: &'static str) -> Option<String> {
        proxy_for(matcher, &Uri::from_static(server)).map(|proxy| shown(proxy.uri()))
    }

    #[test]
    fn what_is_listed_is_reached_without_a_proxy_and_a_password_is_not_shown() {
        let matcher = Matcher::builder().https("http://user:s3cret@proxy.internal:3128").no("segue.internal,10.0.0.0/8").build();
        assert_eq!(proxy(&matcher, "https://deploy.example:7601").as_deref(), Some("http://proxy.internal:3128"));
        assert_eq!(proxy(&matcher, "https://segue.internal:7601"), None);
        assert_eq!(proxy(&matcher, "https://10.1.2.3:7601"), None);
        let found = proxy_for(&matcher, &Uri::from_static("https://deploy.example:7601")).expect("a proxy");
        assert_eq!(found.basic_auth().and_then(|value| value.to_str().ok()), Some("Basic dXNlcjpzM2NyZXQ="));
        let socks = Matcher::builder().https("socks5://proxy.internal:1080").build();
        assert_eq!(proxy(&socks, "https://deploy.example:7601"), None);
    }
}
