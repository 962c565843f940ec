//! One request through a load balancer: rules in order, a group by weight, a target in turn.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::sync::watch;

use super::{
    choice::Turns,
    routes::{Condition, Deed, Route, Routes},
    stickiness::{Choice, choose},
};
use crate::sim::simulator::World;

type Body = BoxBody<Bytes, hyper::Error>;

/// What forwards requests.
pub struct Forwarder {
    world: Arc<World>,
    pictures: watch::Receiver<Arc<Routes>>,
    client: Client<HttpConnector, Incoming>,
    turns: Arc<Turns>,
}

impl Forwarder {
    /// Forwards by the newest picture.
    pub fn new(world: Arc<World>, pictures: watch::Receiver<Arc<Routes>>, turns: Arc<Turns>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(10)));
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(64).build(connector);
        Self { world, pictures, client, turns }
    }

    /// Answers one request that came to a listener.
    pub async fn handle(&self, listener: SocketAddr, client: SocketAddr, request: Request<Incoming>) -> Response<Body> {
        let routes = Arc::clone(&self.pictures.borrow());
        let Some(route) = routes.listeners.get(&listener) else { return own(503, "text/html", "") };
        let matching = route.rules.iter().find(|(conditions, _)| conditions.iter().all(|c| matches(c, &request, client)));
        match matching.map(|(_, deed)| deed) {
            Some(deed @ Deed::Forward { .. }) => {
                match choose(&self.turns, &routes, deed, client, request.headers(), &self.world.clock) {
                    Some(choice) => self.forward(choice, route, (listener, client), request).await,
                    None => self.refused(&route.balancer, "", 503, "Service Temporarily Unavailable"),
                }
            }
            Some(Deed::Fixed { status, content_type, body }) => own(*status, content_type, body),
            Some(Deed::Redirect { status, location }) => {
                redirect(*status, location, (listener.port(), route.protocol.scheme()), &request)
            }
            None => own(503, "text/html", ""),
        }
    }

    async fn forward(
        &self,
        Choice { group, target, cookies }: Choice,
        route: &Route,
        (listener, client): (SocketAddr, SocketAddr),
        mut request: Request<Incoming>,
    ) -> Response<Body> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let Ok(uri) = format!("http://{target}{path}").parse::<Uri>() else { return own(400, "text/html", "") };
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        // Whoever forwarded it before stays in the list.
        let before = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let chain = before.chain([client.ip().to_string().as_str()]).collect::<Vec<_>>().join(", ");
        for (name, value) in [("x-forwarded-for", chain), ("x-forwarded-port", listener.port().to_string())] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        headers.insert("x-forwarded-proto", HeaderValue::from_static(route.protocol.scheme()));
        headers.remove("connection");
        let asked = Instant::now();
        match tokio::time::timeout(Duration::from_secs(60), self.client.request(request)).await {
            Ok(Ok(response)) => {
                let version = response.headers().get("x-version").and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
                self.world.traffic.count(&group, &version);
                self.world.traffic.answered(&route.balancer, &group, response.status().as_u16(), asked.elapsed());
                let mut response = response.map(BodyExt::boxed);
                for cookie in cookies.into_iter().filter_map(|cookie| HeaderValue::try_from(cookie).ok()) {
                    response.headers_mut().append("set-cookie", cookie);
                }
                response
            }
            Ok(Err(error)) => {
                tracing::debug!(%target, %error, "the target did not answer");
                self.refused(&route.balancer, &group, 502, "Bad Gateway")
            }
            Err(_) => self.refused(&route.balancer, &group, 504, "Gateway Time-out"),
        }
    }

    /// Answers for a target that did not, or for the lack of one.
    fn refused(&self, balancer: &str, group: &str, status: u16, text: &str) -> Response<Body> {
        self.world.traffic.refused(balancer, group, status);
        own(status, "text/html", &format!("<html><body><h1>{status} {text}</h1></body></html>"))
    }
}

fn own(status: u16, content_type: &str, body: &str) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_owned())).map_err(|never| match never {}).boxed());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert("content-type", value);
    }
    response.headers_mut().insert("server", HeaderValue::from_static("awselb/2.0"));
    response
}

fn redirect(status: u16, location: &str, (port, scheme): (u16, &str), request: &Request<Incoming>) -> Response<Body> {
    let host = header(request, "host").unwrap_or_default();
    let filled = location
        .replace("#{protocol}", scheme)
        .replace("#{host}", host.split(':').next().unwrap_or_default())
        .replace("#{port}", &port.to_string())
        .replace("#{path}", request.uri().path().trim_start_matches('/'))
        .replace("#{query}", request.uri().query().unwrap_or_default());
    let mut response = own(status, "text/html", "");
    if let Ok(value) = HeaderValue::from_str(filled.trim_end_matches('?')) {
        response.headers_mut().insert("location", value);
    }
    response
}

fn header<'a>(request: &'a Request<Incoming>, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

fn matches(condition: &Condition, request: &Request<Incoming>, client: SocketAddr) -> bool {
    let any =
        |patterns: &[String], text: &str, ignore_case: bool| patterns.iter().any(|pattern| wildcard(pattern, text, ignore_case));
    match condition {
        Condition::Path(patterns) => any(patterns, request.uri().path(), false),
        Condition::Host(patterns) => {
            let host = header(request, "host").unwrap_or_default();
            any(patterns, host.split(':').next().unwrap_or_default(), true)
        }
        Condition::Header(name, patterns) => {
            let values = request.headers().get_all(name.as_str()).iter().filter_map(|value| value.to_str().ok());
            values.into_iter().any(|value| any(patterns, value, true))
        }
        Condition::Method(methods) => methods.iter().any(|method| method == request.method().as_str()),
        Condition::Query(pairs) => {
            let query = request.uri().query().unwrap_or_default();
            let given: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            pairs.iter().any(|(key, value)| {
                given.iter().any(|(k, v)| key.as_ref().is_none_or(|key| wildcard(key, k, true)) && wildcard(value, v, true))
            })
        }
        Condition::Source(blocks) => blocks.iter().any(|block| within(block, client.ip())),
    }
}

/// AWS's patterns: `*` is any text, `?` any character.
fn wildcard(pattern: &str, text: &str, ignore_case: bool) -> bool {
    let fold = |text: &str| -> Vec<char> {
        if ignore_case { text.chars().flat_map(char::to_lowercase).collect() } else { text.chars().collect() }
    };
    let (pattern, text) = (fold(pattern), fold(text));
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for p in pattern {
        let mut next = vec![false; text.len() + 1];
        for (i, here) in reachable.iter().enumerate() {
            if !here {
                continue;
            }
            match p {
                '*' => next[i..].fill(true),
                '?' if i < text.len() => next[i + 1] = true,
                c if i < text.len() && text[i] == c => next[i + 1] = true,
                _ => {}
            }
        }
        reachable = next;
    }
    reachable[text.len()]
}

fn within(block: &str, address: std::net::IpAddr) -> bool {
    let (network, bits) = block.split_once('/').unwrap_or((block, "32"));
    let (Ok(network), Ok(bits), std::net::IpAddr::V4(address)) =
        (network.parse::<std::net::Ipv4Addr>(), bits.parse::<u32>(), address)
    else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
    u32::from(network) & mask == u32::from(address) & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_aws_s() {
        for (pattern, text, expected) in [
            ("/api/*", "/api/v1/x", true),
            ("/api/*", "/ap", false),
            ("*", "", true),
            ("/?.html", "/a.html", true),
            ("/?.html", "/ab.html", false),
            ("*.example.com", "shop.EXAMPLE.com", true),
        ] {
            assert_eq!(wildcard(pattern, text, true), expected, "{pattern} {text}");
        }
        assert!(!wildcard("/API", "/api", false));
    }

    #[test]
    fn blocks_hold_their_addresses() {
        let address = "127.9.0.7".parse().expect("an address");
        assert!(within("127.0.0.0/8", address) && within("0.0.0.0/0", address) && within("127.9.0.7/32", address));
        assert!(!within("10.0.0.0/8", address) && !within("nonsense", address));
    }
}
