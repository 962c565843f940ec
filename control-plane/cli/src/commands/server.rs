//! `segue server`.

use std::time::Duration;

use control_plane::{
    dispatch::LeaseTerms,
    server::{Settings, start},
};
use domain::error::{Error, ErrorCode};
use runtime::{
    shutdown::Shutdown,
    telemetry::{self, Format},
};

use crate::{args::ServerArguments, render::Screen};

pub(super) async fn run(arguments: ServerArguments, screen: &mut Screen) -> Result<u8, Error> {
    let internal = |text: String| Error::new(ErrorCode::Internal, text);
    let format = if arguments.log_json { Format::Json } else { Format::Text };
    telemetry::init(format, "info").map_err(|error| Error::new(ErrorCode::Invalid, error.to_string()))?;
    if arguments.heartbeat_ms * 2 > arguments.lease_ms {
        let text = format!(
            "a heartbeat each {} ms can't keep a lease of {} ms: one lost heartbeat would end it",
            arguments.heartbeat_ms, arguments.lease_ms
        );
        return Err(
            Error::new(ErrorCode::Invalid, text).hint("Let the lease be at least twice the heartbeat; five times is usual.")
        );
    }
    let shutdown = Shutdown::on_signals().map_err(|error| internal(format!("signals can't be listened for: {error}")))?;
    let mut settings = Settings::new(arguments.data_dir);
    settings.api_listen = arguments.listen;
    settings.delegate_listen = arguments.delegate_listen;
    settings.public_names = arguments.public_name;
    settings.aws_join = arguments.aws_join;
    settings.sts_endpoint = arguments.sts_endpoint;
    settings.terms = LeaseTerms {
        lease: Duration::from_millis(arguments.lease_ms),
        heartbeat: Duration::from_millis(arguments.heartbeat_ms),
        margin: Duration::from_millis(arguments.margin_ms),
    };
    settings.shutdown = shutdown.token();
    let running = start(settings)
        .await
        .map_err(|error| Error::new(ErrorCode::Unavailable, format!("the control plane can't start: {error}")))?;
    if running.first_start {
        screen.note(&format!("\n{}\n\n", running.next_steps().join("\n")));
    } else {
        screen.note(&format!(
            "The control plane listens on {} (people, programs) and {} (delegates).\n",
            running.api_url, running.gateway_url
        ));
    }
    running.stopped().await.map_err(|error| Error::new(ErrorCode::Internal, format!("the control plane ended: {error}")))?;
    Ok(0)
}
