//! The HTTP server in front of everything.

use std::{sync::Arc, time::Duration};

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
    faults::{Fault, throttled},
    journal::Entry,
    request::{Call, Input, Service},
    signature::{self, Signed},
};
use crate::sim::{context::Context, credentials::Credentials, ecs, elbv2, error::ApiError, simulator::World, sts};

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
                        async move { handle(&world, request).await }
                    });
                    // A connection that breaks is its client's matter.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }
    }
}

async fn handle(world: &World, request: Request<Incoming>) -> Result<Answer, Unanswered> {
    let (parts, body) = request.into_parts();
    let request_id = uuid::Uuid::new_v4().to_string();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await.map(http_body_util::Collected::to_bytes) else {
        let error = ApiError::new("RequestEntityTooLarge", "the request is too large").status(413);
        return Ok(answer::stamped(answer::error(Service::Ecs, &error, &request_id), &request_id));
    };
    if let Some(what) = parts.uri.path().strip_prefix("/_sandbox/") {
        return Ok(control::handle(world, &parts.method, what, &body));
    }
    if world.latency > Duration::ZERO {
        tokio::time::sleep(world.latency).await;
    }
    let call = match Call::read(&parts, &body) {
        Ok(call) => call,
        Err((service, error)) => return Ok(answer::stamped(answer::error(service, &error, &request_id), &request_id)),
    };
    let signed = signature::verify(call.service, &parts, &body, &world.state().credentials);
    let fault = signed.is_ok().then(|| world.state().faults.next(call.service, &call.operation)).flatten();
    if let Some(wait) = fault.as_ref().map(Fault::wait).filter(|wait| *wait > Duration::ZERO) {
        tokio::time::sleep(wait).await;
    }
    let outcome = match &signed {
        Ok(signed) => answered(world, &call, signed, fault.as_ref(), &request_id),
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
        fault: fault.as_ref(),
        access_key: signed.as_ref().ok().map(|signed| signed.caller.access_key.as_str()),
        request_id: &request_id,
        request: call.members(),
        at: world.clock.epoch(),
    });
    match fault {
        Some(Fault::Reset | Fault::Lost) => Err(Unanswered),
        Some(Fault::Silent { delay_ms }) => {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            Err(Unanswered)
        }
        _ => Ok(answer::stamped(response, &request_id)),
    }
}

/// The connection ends without an answer, as a fault wants it.
#[derive(Debug, thiserror::Error)]
#[error("a fault that was asked for ends the connection")]
struct Unanswered;

/// What a call comes to, faults included.
fn answered(world: &World, call: &Call, signed: &Signed, fault: Option<&Fault>, request_id: &str) -> Result<Answer, ApiError> {
    if let Some(refusal) = fault.and_then(|fault| fault.refusal(call.service)) {
        return Err(refusal);
    }
    if fault == Some(&Fault::Reset) {
        // Nobody reads it: the journal notes that nothing happened.
        return Err(ApiError::new("ConnectionReset", "the call was not carried out").status(500));
    }
    let mut state = world.state();
    let now = world.clock.now();
    if !state.budgets.take(&signed.caller.account, &signed.region, call.service, &call.operation, now) {
        return Err(throttled(call.service));
    }
    let (account, region) = (&signed.caller.account, &signed.region);
    if call.is_write() {
        if state.faults.keeps_history() {
            state.keep(account, region);
        }
    } else if fault == Some(&Fault::Stale) {
        return state.within_kept(world, account, region, |context, credentials| {
            dispatch(call, signed, context, credentials, request_id)
        });
    }
    state.within(world, account, region, |context, credentials| dispatch(call, signed, context, credentials, request_id))
}

fn dispatch(
    call: &Call,
    signed: &Signed,
    context: &mut Context<'_>,
    credentials: &mut Credentials,
    request_id: &str,
) -> Result<Answer, ApiError> {
    let operation = &call.operation;
    let xml = |value: Value| answer::xml(call.service, operation, &value, request_id);
    match (&call.input, call.service) {
        (Input::Json(members), Service::Ecs) => ecs::handle(operation, members, context).map(|value| answer::json(&value)),
        (Input::Form(form), Service::Elb) => elbv2::handle(operation, form, context).map(xml),
        (Input::Form(form), Service::Sts) => sts::handle(operation, form, &signed.caller, credentials, context).map(xml),
        _ => Err(ApiError::new("InvalidAction", "this service does not speak this protocol")),
    }
}
