//! What a control plane is told when it starts: plain values, however they came about.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::dispatch::LeaseTerms;

/// What a control plane is told when it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where everything is kept: store, logs, certificates. Created if it is not there.
    pub data_dir: PathBuf,
    /// Where people and programs connect. Port 0: any free one.
    pub api_listen: SocketAddr,
    /// Where delegates connect. Port 0: any free one.
    pub delegate_listen: SocketAddr,
    /// Host names and addresses by which the server is reached, beside the local ones: they stand in its certificate, and the first
    /// one in the context file and in what a delegate is told.
    pub public_names: Vec<String>,
    /// Leases, heartbeats, and the margin before a hand-over.
    pub terms: LeaseTerms,
    /// How long a delegate's certificate is good for.
    pub delegate_certificate_life: Duration,
    /// The rules by which delegates join with an AWS identity. None: nobody does.
    pub aws_join: Option<PathBuf>,
    /// Where STS is asked, beginning with `http`. None: where AWS has it in the delegate's region.
    pub sts_endpoint: Option<String>,
    /// How long running calls and streams may take to end after the reason to stop.
    pub drain: Duration,
    /// The reason to stop, which is the caller's.
    pub shutdown: CancellationToken,
}

impl Settings {
    /// The defaults: API on 127.0.0.1:7600, delegates on 127.0.0.1:7601.
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            api_listen: ([127, 0, 0, 1], 7600).into(),
            delegate_listen: ([127, 0, 0, 1], 7601).into(),
            public_names: Vec::new(),
            terms: LeaseTerms::default(),
            delegate_certificate_life: Duration::from_secs(24 * 3600),
            aws_join: None,
            sts_endpoint: None,
            drain: Duration::from_secs(10),
            shutdown: CancellationToken::new(),
        }
    }

    /// The names in the server's certificate: the public ones, those of this machine's loopback, and the addresses that are listened
    /// on.
    pub(super) fn certificate_names(&self) -> Vec<String> {
        let mut names = self.public_names.clone();
        names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
        let listened = [self.api_listen.ip(), self.delegate_listen.ip()];
        names.extend(listened.iter().filter(|address| !address.is_unspecified()).map(ToString::to_string));
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    /// How others reach a port that is listened on.
    pub(super) fn url(&self, listened: SocketAddr) -> String {
        let host = match (self.public_names.first(), listened.ip()) {
            (Some(name), _) => match name.parse::<std::net::Ipv6Addr>() {
                Ok(address) => format!("[{address}]"),
                Err(_) => name.clone(),
            },
            (None, address) if address.is_unspecified() => "localhost".to_owned(),
            (None, std::net::IpAddr::V4(address)) => address.to_string(),
            (None, std::net::IpAddr::V6(address)) => format!("[{address}]"),
        };
        format!("https://{host}:{}", listened.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_follow_what_is_listened_on() {
        let mut settings = Settings::new("data".into());
        assert_eq!(settings.certificate_names(), ["localhost", "127.0.0.1", "::1"]);
        assert_eq!(settings.url(([127, 0, 0, 1], 7600).into()), "https://127.0.0.1:7600");
        settings.api_listen = ([0, 0, 0, 0], 7600).into();
        assert_eq!(settings.url(settings.api_listen), "https://localhost:7600");
        settings.public_names = vec!["deploy.example".into()];
        assert_eq!(settings.url(settings.api_listen), "https://deploy.example:7600");
        assert_eq!(settings.certificate_names()[0], "deploy.example");
    }
}
