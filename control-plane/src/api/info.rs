//! What the server says of itself.

use std::sync::Arc;

use proto::api::{InfoRequest, InfoResponse, server_server::Server};
use tonic::{Request, Response, Status};

use super::context::ApiContext;
use crate::store::StoreHealth;

/// The service.
pub struct ServerService {
    context: Arc<ApiContext>,
}

impl ServerService {
    /// The service over what the API works with.
    pub fn new(context: Arc<ApiContext>) -> Self {
        Self { context }
    }
}

#[tonic::async_trait]
impl Server for ServerService {
    async fn info(&self, _: Request<InfoRequest>) -> Result<Response<InfoResponse>, Status> {
        let (writable, reason) = match self.context.store.health() {
            StoreHealth::Writable => (true, String::new()),
            StoreHealth::ReadOnly { reason } => (false, reason),
        };
        let connected = self.context.dispatch.sessions.count();
        Ok(Response::new(InfoResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            writable,
            reason,
            delegates_connected: u32::try_from(connected).unwrap_or(u32::MAX),
        }))
    }
}
