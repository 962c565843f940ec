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
/// How long a server that is away is asked again.
const PATIENCE: Duration = Duration::from_secs(60);

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
        let endpoint = runtime::tls::endpoint(&context.server, &context.authorities, None).map_err(|error| invalid(error.to_string()))?;
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

    /// One call, with its limit. An answer that never came is told with the server's address.
    ///
    /// # Errors
    /// What the server said, or that it could not be reached.
    pub async fn call<T>(&self, call: impl Future<Output = Result<tonic::Response<T>, Status>>) -> Result<T, Error> {
        match tokio::time::timeout(CALL, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(self.explained(&status)),
            Err(_) => {
                let text = format!("{} gave no answer within {} s", self.server, CALL.as_secs());
                Err(Error::new(ErrorCode::TimedOut, text))
            }
        }
    }

    /// One read, asked again for a minute while the server is away; `away` is told once, when that begins.
    ///
    /// # Errors
    /// What the server said, or that it could not be reached for a minute.
    pub async fn patiently<T, F>(&self, mut away: impl FnMut(&Error), mut call: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<tonic::Response<T>, Status>>,
    {
        let begun = tokio::time::Instant::now();
        let mut told = false;
        loop {
            match self.call(call()).await {
                Err(error) if is_passing(&error) && begun.elapsed() < PATIENCE => {
                    if !told {
                        away(&error);
                        told = true;
                    }
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                answer => return answer,
            }
        }
    }

    /// A status as an error; one without words of the server's own says which server was tried.
    pub fn explained(&self, status: &Status) -> Error {
        let error = of_status(status);
        // Only a status of the transport's own has a source: the server's answers have none.
        if std::error::Error::source(status).is_none() {
            return error;
        }
        let mut reason = String::new();
        let mut source = std::error::Error::source(status);
        while let Some(cause) = source {
            reason = cause.to_string();
            source = cause.source();
        }
        Error::new(ErrorCode::Unavailable, format!("{} cannot be reached: {reason}", self.server))
            .hint("Is the control plane running, and is the context the right one? (`segue context list`)")
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
        let mut resources = self.resources();
        let mut found = self.call(resources.list(request)).await?.resources;
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
