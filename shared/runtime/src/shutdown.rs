//! The reason to stop: SIGTERM or SIGINT asks politely, a second one at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::tasks::Tasks;

/// The exit status after a second signal, as a shell shows a process ended by SIGINT.
const EXIT_AT_ONCE: i32 = 130;

/// Listens for signals until it is dropped.
#[derive(Debug)]
pub struct Shutdown {
    token: CancellationToken,
    listener: JoinHandle<()>,
}

impl Shutdown {
    /// Starts to listen. The first signal cancels the token; the second ends the process with status 130.
    ///
    /// # Errors
    /// When the signals can't be listened for.
    pub fn on_signals() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let token = CancellationToken::new();
        let asked = token.clone();
        // A set of its own: a drain of the server's tasks must not wait for the listener.
        let listener = Tasks::new(CancellationToken::new()).spawn("signals", async move {
            let name = either(&mut terminate, &mut interrupt).await;
            tracing::info!(signal = name, "stopping; a second signal stops at once");
            asked.cancel();
            let name = either(&mut terminate, &mut interrupt).await;
            tracing::warn!(signal = name, "stopping at once");
            std::process::exit(EXIT_AT_ONCE);
        });
        Ok(Self { token, listener })
    }

    /// Cancelled by the first signal.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
