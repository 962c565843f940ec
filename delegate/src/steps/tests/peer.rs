//! A server on this machine that steps talk to: says what it is told to, and keeps what it was asked.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

/// The server; it ends when this is dropped.
pub(super) struct Peer {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<String>>>,
    _server: JoinSet<()>,
}

impl Peer {
    /// Answers each connection with the next status and body, the last one for ever.
    pub(super) async fn answering(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, answers) =
            (asked.clone(), answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect::<Vec<_>>());
        let mut server = JoinSet::new();
        server.spawn(async move {
            for number in 0.. {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut request = vec![0; 16 * 1024];
                let mut length = 0;
                // One read may give the head alone.
                while !is_whole(&request[..length]) {
                    match stream.read(&mut request[length..]).await.expect("a request") {
                        0 => break,
                        read => length += read,
                    }
                }
                kept.lock().expect("no panic").push(String::from_utf8_lossy(&request[..length]).into_owned());
                let (status, body) = &answers[number.min(answers.len() - 1)];
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.expect("written");
            }
        });
        Self { url, asked, _server: server }
    }

    /// What was asked so far, as it came.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
    body.len() >= length
}
