//! The HTTP server in front of everything.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    answer::{self, Answer},
    control,
    journal::Entry,
    request::{Call, Input, Service},
    signature::{self, Signed},
};
use crate::sim::{ecs, elbv2, error::ApiError, simulator::World, sts};

/// The largest request body.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Serves until `stop`. The connections' tasks are owned here and end with it.
pub async fn serve(listener: TcpListener, world: Arc<World>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                // Without it, small answers wait for the peer's delayed acknowledgement.
                let _ = stream.set_nodelay(true);
                let world = Arc::clone(&world);
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let world = Arc::clone(&world);
                        async move { Ok::<_, Infallible>(handle(&world, request).await) }
                    });
                    // A connection that breaks is its client's matter.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }
    }
}

async fn handle(world: &World, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let request_id = uuid::Uuid::new_v4().to_string();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await.map(http_body_util::Collected::to_bytes) else {
        let error = ApiError::new("RequestEntityTooLarge", "the request is too large").status(413);
        return answer::stamped(answer::error(Service::Ecs, &error, &request_id), &request_id);
    };
    if let Some(what) = parts.uri.path().strip_prefix("/_sandbox/") {
        return control::handle(world, &parts.method, what);
    }
    if world.latency > Duration::ZERO {
        tokio::time::sleep(world.latency).await;
    }
    let call = match Call::read(&parts, &body) {
        Ok(call) => call,
        Err((service, error)) => return answer::stamped(answer::error(service, &error, &request_id), &request_id),
    };
    let signed = verify(world, &call, &parts, &body);
    let outcome = match &signed {
        Ok(signed) => dispatch(world, &call, signed),
        Err(error) => Err(error.clone()),
    };
    let (response, error) = match outcome {
        Ok(response) => (response, None),
        Err(error) => (answer::error(call.service, &error, &request_id), Some(error)),
    };
    world.state().journal.add(Entry {
        service: call.service.as_str(),
        operation: &call.operation,
        status: response.status().as_u16(),
        error: error.as_ref().map(|error| error.code.as_str()),
        access_key: signed.as_ref().ok().map(|signed| signed.caller.access_key.as_str()),
        request_id: &request_id,
        request: call.members(),
        at: world.clock.epoch(),
    });
    answer::stamped(response, &request_id)
}

fn verify(world: &World, call: &Call, parts: &http::request::Parts, body: &Bytes) -> Result<Signed, ApiError> {
    signature::verify(call.service, parts, body, &world.state().credentials)
}

fn dispatch(world: &World, call: &Call, signed: &Signed) -> Result<Answer, ApiError> {
    let mut state = world.state();
    let now = world.clock.now();
    if !state.budgets.take(&signed.caller.account, &signed.region, call.service, &call.operation, now) {
        let code = if call.service.is_json() { "ThrottlingException" } else { "Throttling" };
        return Err(ApiError::new(code, "Rate exceeded"));
    }
    state.within(world, &signed.caller.account, &signed.region, |context, credentials| match (&call.input, call.service) {
        (Input::Json(members), Service::Ecs) => ecs::handle(&call.operation, members, context).map(|value: Value| answer::json(&value)),
        (Input::Form(form), Service::Elb) => elbv2::handle(&call.operation, form, context).map(answer::xml),
        (Input::Form(form), Service::Sts) => {
            sts::handle(&call.operation, form, &signed.caller, credentials, context).map(answer::xml)
        }
        _ => Err(ApiError::new("InvalidAction", "this service does not speak this protocol")),
    })
}
