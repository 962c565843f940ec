//! One HTTP question with a time limit: a new connection each time (a load balancer answers new ones by its present rules), no
//! redirect followed, the body read up to a limit.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::Instant;

/// Of a body so many bytes are read and looked at.
const BODY_BYTES: usize = 1024 * 1024;

/// Asks over HTTP and HTTPS.
#[derive(Clone)]
pub struct HttpProbe {
    plain: Client<HttpConnector, Full<Bytes>>,
}

impl Default for HttpProbe {
    fn default() -> Self {
        Self::new()
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Where.
    pub url: &'a str,
    /// Headers that are sent along, by name and value.
    pub headers: &'a BTreeMap<String, String>,
    /// A JSON text to POST. None: a GET.
    pub body: Option<&'a str>,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct ProbeAnswer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The first 1 MiB of the body, as text.
    pub body: String,
    /// From before the connection to the end of the body.
    pub latency: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The URL can't be asked.
    #[error("{0} is not an http or https URL")]
    Url(String),
    /// A header can't be sent.
    #[error("the header {0} can't be sent: its name or value holds characters that no header has")]
    Header(String),
    /// Too late.
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// No connection, or a broken one.
    #[error("{0}")]
    Failed(String),
}

impl HttpProbe {
    /// A probe.
    pub fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { plain: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector) }
    }

    /// Asks `url` and waits at most `limit` for the whole answer.
    ///
    /// # Errors
    /// When there is none; an answer of any status is one.
    pub async fn get(&self, url: &str, limit: Duration) -> Result<ProbeAnswer, ProbeError> {
        self.ask(Question { url, headers: &BTreeMap::new(), body: None }, limit).await
    }

    /// The same with headers, and a body where there is one.
    ///
    /// # Errors
    /// When there is none; an answer of any status is one.
    pub async fn ask(&self, question: Question<'_>, limit: Duration) -> Result<ProbeAnswer, ProbeError> {
        let url = question.url;
        let invalid = || ProbeError::Url(url.chars().take(200).collect());
        let uri: Uri = url.parse().map_err(|_| invalid())?;
        uri.host().ok_or_else(invalid)?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(invalid()),
        };
        let request = if question.body.is_some() { Request::post(uri) } else { Request::get(uri) };
        let mut request = request
            .header(header::USER_AGENT, concat!("segue/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close")
            .body(Full::from(question.body.unwrap_or_default().to_owned()))
            .map_err(|_| invalid())?;
        if question.body.is_some() {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in question.headers {
            let wrong = || ProbeError::Header(name.chars().take(80).collect());
            let value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            request.headers_mut().insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
        }
        let started = Instant::now();
        let answered = async {
            let response = if secure { encrypted()?.request(request).await } else { self.plain.request(request).await };
            let response = response.map_err(|error| ProbeError::Failed(chain(&error)))?;
            let (parts, body) = response.into_parts();
            let body = beginning(body).await?;
            Ok(ProbeAnswer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: String::from_utf8_lossy(&body).into_owned(),
                latency: started.elapsed(),
            })
        };
        tokio::time::timeout(limit, answered).await.unwrap_or(Err(ProbeError::TimedOut(limit)))
    }
}

/// A client for HTTPS that trusts what the machine trusts. Made for each question: loading the machine's certificates costs
/// memory that a delegate which never asks over HTTPS should not hold.
fn encrypted() -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>, ProbeError> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider())
        .map_err(|error| ProbeError::Failed(format!("the machine's trusted certificates can't be read: {error}")))?
        .https_only()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
}

async fn beginning(mut body: Incoming) -> Result<Vec<u8>, ProbeError> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ProbeError::Failed(chain(&error)))?;
        if let Ok(data) = frame.into_data() {
            let room = BODY_BYTES - read.len();
            read.extend_from_slice(&data[..data.len().min(room)]);
            if read.len() == BODY_BYTES {
                break;
            }
        }
    }
    Ok(read)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        task::JoinSet,
    };

    use super::*;

    /// A server that answers one request with this text.
    async fn answers(text: &'static str) -> (String, JoinSet<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/healthz?x=1", listener.local_addr().expect("bound"));
        let mut server = JoinSet::new();
        server.spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.expect("a request");
            stream.write_all(text.as_bytes()).await.expect("written");
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (url, server)
    }

    #[tokio::test]
    async fn an_answer_of_any_status_is_an_answer() {
        let (url, mut server) = answers("HTTP/1.1 503 Busy\r\nx-version: 2\r\ncontent-length: 4\r\n\r\nwait").await;
        let answer = HttpProbe::new().get(&url, Duration::from_secs(5)).await.expect("an answer");
        assert_eq!((answer.status, answer.body.as_str()), (503, "wait"));
        assert_eq!(answer.headers["x-version"], "2");
        assert!(server.join_next().await.expect("one server").expect("served").starts_with("GET /healthz?x=1 HTTP/1.1\r\n"));
    }

    #[tokio::test]
    async fn headers_and_a_body_are_sent_as_they_are() {
        let (url, mut server) = answers("HTTP/1.1 204 Done\r\n\r\n").await;
        let headers = BTreeMap::from([("X-Key".to_owned(), "k 1".to_owned())]);
        let question = Question { url: &url, headers: &headers, body: Some("{}") };
        assert_eq!(HttpProbe::new().ask(question, Duration::from_secs(5)).await.expect("an answer").status, 204);
        let sent = server.join_next().await.expect("one server").expect("served").to_lowercase();
        assert!(sent.starts_with("post /healthz?x=1 http/1.1\r\n"), "{sent}");
        for line in ["x-key: k 1\r\n", "content-type: application/json\r\n", "content-length: 2\r\n"] {
            assert!(sent.contains(line), "{line} in {sent}");
        }
        let broken = BTreeMap::from([("X-Key".to_owned(), "a\nb".to_owned())]);
        let question = Question { url: &url, headers: &broken, body: None };
        let refused = HttpProbe::new().ask(question, Duration::from_secs(5)).await;
        assert!(matches!(refused, Err(ProbeError::Header(name)) if name == "X-Key"));
    }

    #[tokio::test]
    async fn silence_a_closed_port_and_a_wrong_url_are_told_apart() {
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = silent.local_addr().expect("bound");
        let probe = HttpProbe::new();
        let limit = Duration::from_millis(50);
        assert!(matches!(probe.get(&format!("http://{address}/"), limit).await, Err(ProbeError::TimedOut(_))));
        drop(silent);
        assert!(matches!(probe.get(&format!("http://{address}/"), Duration::from_secs(5)).await, Err(ProbeError::Failed(_))));
        for wrong in ["ftp://x/", "/healthz", "http://"] {
            assert!(matches!(probe.get(wrong, limit).await, Err(ProbeError::Url(_))), "{wrong}");
        }
    }
}
