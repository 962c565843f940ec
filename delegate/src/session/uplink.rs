//! The way up to the control plane while a session stands.

use proto::delegate::{FromDelegate, from_delegate::Message};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Messages that may wait for the connection: more than every task that a delegate holds could have to say at once.
pub const QUEUE: usize = 4096;

/// Sends messages up. What a lost connection swallows is sent again on the next one by whoever waits for its acknowledgement.
#[derive(Debug, Clone)]
pub struct Uplink {
    messages: mpsc::Sender<FromDelegate>,
    broken: CancellationToken,
}

impl Uplink {
    /// A new uplink and what the stream reads from it. `broken` is cancelled when the connection takes nothing more.
    pub fn new(broken: CancellationToken) -> (Self, mpsc::Receiver<FromDelegate>) {
        let (messages, outbound) = mpsc::channel(QUEUE);
        (Self { messages, broken }, outbound)
    }

    /// Sends without waiting. A control plane that does not read loses the session, not the delegate its memory.
    pub fn send(&self, message: Message) {
        match self.messages.try_send(FromDelegate { message: Some(message) }) {
            // Closed: the session is over, which its owner learns by itself.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(_)) => self.broken.cancel(),
        }
    }

    /// Ends the session: it is of no use any more.
    pub fn give_up(&self) {
        self.broken.cancel();
    }
}
