//! The connection to a control plane: TLS with the context's authorities, the bearer token on every call, a limit on each, and one
//! policy for a server that is away.

use std::time::Duration;

use domain::{
    deployment::DeploymentView,
    error::{Error, ErrorCode},
};
use proto::{
    api::{
        self, delegates_client::DelegatesClient, deployments_client::DeploymentsClient, discovery_client::DiscoveryClient,
        resources_client::ResourcesClient, server_client::ServerClient,
    },
    convert,
};
use secrecy::ExposeSecret;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

use crate::{
    context::Context,
    error::{is_passing, of_status, unreadable},
};

/// How long a call may take.
const CALL: Duration = Duration::from_secs(30);
/// How long a server that is away is asked again, and how often.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(250);

/// Puts the token, if there is one, on every call.
#[derive(Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(bearer) = &self.0 {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        Ok(request)
    }
}

type Service = InterceptedService<Channel, Bearer>;

/// A control plane, as one person sees it.
#[derive(Clone)]
pub struct Client {
    service: Service,
    server: String,
}

impl Client {
    /// Prepares a connection; it is made at the first call.
    ///
    /// # Errors
    /// When the context's address, certificates or token can't be used.
    pub fn new(context: &Context) -> Result<Self, Error> {
        let invalid = |text: String| Error::new(ErrorCode::Invalid, format!("the context can't be used: {text}"));
        let endpoint =
            runtime::tls::endpoint(&context.server, &context.authorities, None).map_err(|error| invalid(error.to_string()))?;
        let bearer = match context.token.expose_secret() {
            "" => None,
            token => {
                let mut bearer: MetadataValue<Ascii> = format!("Bearer {token}")
                    .parse()
                    .map_err(|_| invalid("its token has characters that no token has".to_owned()))?;
                bearer.set_sensitive(true);
                Some(bearer)
            }
        };
        let service = InterceptedService::new(endpoint.connect_lazy(), Bearer(bearer));
        Ok(Self { service, server: context.server.clone() })
    }

    /// The documents.
    pub fn resources(&self) -> ResourcesClient<Service> {
        ResourcesClient::new(self.service.clone()).max_decoding_message_size(domain::limits::MESSAGE_BYTES)
    }

    /// The deployments.
    pub fn deployments(&self) -> DeploymentsClient<Service> {
        DeploymentsClient::new(self.service.clone()).max_decoding_message_size(domain::limits::MESSAGE_BYTES)
    }

    /// The delegates.
    pub fn delegates(&self) -> DelegatesClient<Service> {
        DelegatesClient::new(self.service.clone())
    }

    /// Questions to a VPC.
    pub fn discovery(&self) -> DiscoveryClient<Service> {
        DiscoveryClient::new(self.service.clone())
    }

    /// The server itself.
    pub fn server(&self) -> ServerClient<Service> {
        ServerClient::new(self.service.clone())
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.server
    }

    /// One call, with the usual limit. An answer that never came is told with the server's address.
    ///
    /// # Errors
    /// What the server said, or that it could not be reached.
    pub async fn call<T>(&self, call: impl Future<Output = Result<tonic::Response<T>, Status>>) -> Result<T, Error> {
        self.call_within(CALL, call).await
    }

    /// One call with a limit of its own.
    ///
    /// # Errors
    /// What the server said, or that it could not be reached.
    pub async fn call_within<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<tonic::Response<T>, Status>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(self.explained(&status)),
            Err(_) => {
                let text = format!("{} gave no answer within {} s", self.server, limit.as_secs());
                Err(Error::new(ErrorCode::TimedOut, text))
            }
        }
    }

    /// A call that may be made twice (a read, or a request with a key of its own), asked again for a few seconds while the server is
    /// away: long enough for a restart.
    ///
    /// # Errors
    /// What the server said, or that it could not be reached.
    pub async fn read<T, F>(&self, mut call: impl FnMut(Self) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<tonic::Response<T>, Status>>,
    {
        let begun = tokio::time::Instant::now();
        loop {
            match self.call(call(self.clone())).await {
                Err(error) if is_passing(&error) && begun.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                answer => return answer,
            }
        }
    }

    /// A status as an error; one without words of the server's own says which server was tried, and whether it is the right one.
    pub fn explained(&self, status: &Status) -> Error {
        // Only a status of the transport's own has a source: the server's answers have none.
        let Some(source) = std::error::Error::source(status) else { return of_status(status) };
        let (mut reason, mut mistrusted) = (String::new(), false);
        let mut cause = Some(source);
        while let Some(error) = cause {
            reason = error.to_string();
            mistrusted |= error.downcast_ref::<rustls::Error>().is_some()
                || error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::InvalidData);
            cause = error.source();
        }
        if mistrusted {
            let text = format!("{} is not the control plane that the context trusts: {reason}", self.server);
            return Error::new(ErrorCode::Unauthenticated, text).hint(
                "Take a new context file from the control plane: its authority or its names have changed, or it is another one.",
            );
        }
        Error::new(ErrorCode::Unavailable, format!("{} cannot be reached: {reason}.", self.server))
            .hint("Is the control plane running, and is the context the right one? (segue context show)")
    }

    /// The application to use when none is named: the only one there is.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn application(&self, named: Option<String>) -> Result<String, Error> {
        if let Some(named) = named {
            return Ok(named);
        }
        let request = api::ListResourcesRequest { kind: "application".to_owned(), application: String::new() };
        let found = self.read(|client| {
            let request = request.clone();
            async move { client.resources().list(request).await }
        });
        let mut found = found.await?.resources;
        match found.len() {
            1 => Ok(found.swap_remove(0).name),
            0 => Err(Error::new(ErrorCode::NotFound, "there is no application yet").hint("segue apply -f DIR")),
            _ => {
                let names: Vec<&str> = found.iter().map(|resource| resource.name.as_str()).collect();
                let text = format!("there are several applications: {}", names.join(", "));
                Err(Error::new(ErrorCode::Invalid, text).hint("Name one with --application."))
            }
        }
    }
}

/// A deployment from the wire.
///
/// # Errors
/// When it can't be read.
pub fn deployment(wire: api::Deployment) -> Result<DeploymentView, Error> {
    convert::deployment::from_wire(wire).map_err(|malformed| unreadable(&malformed))
}

#[cfg(test)]
mod tests;
