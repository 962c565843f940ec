//! What a script writes, line by line into the step's log: what a terminal could obey is written as an escape, and there is an end
//! to it.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::{console::visible, limits::LOG_LINE_BYTES};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::executor::Console;

/// Bytes of one script's output that are kept, both streams together.
const MOST_BYTES: u64 = 1024 * 1024;

/// How much of a script's output was kept so far.
#[derive(Debug, Default)]
pub(super) struct Kept(AtomicU64);

/// Copies a stream to the console until it ends. What comes after the bound is read and left out, so that the script does not hang.
pub(super) async fn copy(stream: Option<impl AsyncRead + Unpin>, console: &Console, kept: &Kept, is_error: bool) {
    let Some(mut stream) = stream else { return };
    let (mut buffer, mut line) = (vec![0; 8 * 1024], Vec::new());
    // A stream that can't be read any more has ended.
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        for byte in &buffer[..length] {
            match byte {
                b'\n' => say(&mut line, console, kept, is_error),
                byte => line.push(*byte),
            }
            if line.len() >= LOG_LINE_BYTES {
                say(&mut line, console, kept, is_error);
            }
        }
    }
    if !line.is_empty() {
        say(&mut line, console, kept, is_error);
    }
}

fn say(line: &mut Vec<u8>, console: &Console, kept: &Kept, is_error: bool) {
    let size = u64::try_from(line.len()).unwrap_or(u64::MAX).saturating_add(1);
    let before = kept.0.fetch_add(size, Ordering::Relaxed);
    let bytes = std::mem::take(line);
    if before.saturating_add(size) > MOST_BYTES {
        if before <= MOST_BYTES {
            console.warn(format!("The script writes more than {} KiB; the rest is left out.", MOST_BYTES / 1024));
        }
        return;
    }
    let text = String::from_utf8_lossy(&bytes);
    // Masked first: an escape inside of a secret would hide it from the mask.
    let masked = console.masked(text.trim_end_matches('\r'));
    let text = visible(&masked);
    if is_error { console.warn(text) } else { console.info(text) }
}
