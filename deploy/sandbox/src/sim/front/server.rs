//! The HTTP server in front of everything.

use std::{sync::Arc, time::Duration};

use http::Request;
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{
    answer::{self, Answer},
    control,
    faults::{Fault, throttled},
    journal::Entry,
    operations,
    request::{Call, Input, Service},
    signature::{self, Signed},
};
use crate::sim::{
    autoscaling, cloud_map, cloudwatch, context::Context, credentials::Credentials, ecs, elbv2, error::ApiError, logs, route53,
    simulator::World, sts,
};

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
                        Box::pin(async move { handle(&world, request).await })
                    });
                    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    let end = std::future::poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
                    leave(connection.into_parts().io.into_inner(), end.err()).await;
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
        Some(Fault::Reset) => Err(Unanswered::Reset),
        Some(Fault::Lost) => Err(Unanswered::Closed),
        Some(Fault::Silent { delay_ms }) => {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            Err(Unanswered::Closed)
        }
        _ => Ok(answer::stamped(response, &request_id)),
    }
}

/// The connection ends without an answer, as a fault wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Unanswered {
    /// As a connection ends whose peer has crashed.
    #[error("a fault that was asked for resets the connection")]
    Reset,
    /// As a connection ends that its peer closes.
    #[error("a fault that was asked for closes the connection")]
    Closed,
}

/// Ends a connection. One that breaks is its client's matter.
async fn leave(mut stream: TcpStream, error: Option<hyper::Error>) {
    let unanswered = error.as_ref().and_then(std::error::Error::source).and_then(|source| source.downcast_ref());
    if unanswered == Some(&Unanswered::Reset) {
        // Closed with no time to linger, a socket sends RST instead of FIN.
        let _ = stream.set_zero_linger();
    } else {
        let _ = stream.shutdown().await;
    }
}

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
    if fault == Some(&Fault::Stale) && !call.is_write() {
        return state.within_kept(world, account, region, |context, credentials| {
            dispatch(call, signed, context, credentials, request_id)
        });
    }
    let stood = (call.is_write() && state.faults.keeps_history()).then(|| state.stands(account, region));
    let answer =
        state.within(world, account, region, |context, credentials| dispatch(call, signed, context, credentials, request_id));
    if call.is_write() && answer.is_ok() {
        state.keep(account, region, stood);
    }
    answer
}

fn dispatch(
    call: &Call,
    signed: &Signed,
    context: &mut Context<'_>,
    credentials: &mut Credentials,
    request_id: &str,
) -> Result<Answer, ApiError> {
    let operation = &call.operation;
    if !operations::knows(call.service, operation) {
        let code = if call.service.is_json() { "UnknownOperationException" } else { "InvalidAction" };
        return Err(ApiError::new(code, format!("the simulator does not know {}:{operation}", call.service.as_str())));
    }
    let xml = |value: Value| answer::xml(call.service, operation, &value, request_id);
    match (&call.input, call.service) {
        (Input::Json(members), Service::Ecs) => ecs::handle(operation, members, context).map(|value| answer::json(&value)),
        (Input::Json(members), Service::Autoscaling) => {
            autoscaling::handle(operation, members, context).map(|value| answer::json(&value))
        }
        (Input::Json(members), Service::CloudWatch(wire)) => {
            cloudwatch::handle(operation, members, context).map(|value| answer::monitoring(wire, value.as_ref()))
        }
        (Input::Form(form), Service::CloudWatch(_)) => cloudwatch::handle_form(operation, form, context).map(xml),
        (Input::Json(members), Service::Logs) => logs::handle(operation, members, context).map(|value| answer::json(&value)),
        (Input::Json(members), Service::CloudMap) => {
            cloud_map::handle(operation, members, context).map(|value| answer::json(&value))
        }
        (Input::Rest(rest), Service::Route53) => {
            route53::handle(operation, rest, context).map(|value| answer::rest(operation, &value))
        }
        (Input::Form(form), Service::Elb) => elbv2::handle(operation, form, context).map(xml),
        (Input::Form(form), Service::Sts) => sts::handle(operation, form, &signed.caller, credentials, context).map(xml),
        _ => Err(ApiError::new("InvalidAction", "this service does not speak this protocol")),
    }
}
