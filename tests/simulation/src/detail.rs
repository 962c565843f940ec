//! The full story of a run: what the programs themselves say goes into it too, each line with the process that said it.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

use crate::trace::Trace;

/// From now on, on this thread, until the guard is dropped.
pub fn tell_all(trace: &Arc<Trace>) -> DefaultGuard {
    let lines = Lines(Mutex::new(trace.clone()));
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_ansi(false)
        .with_target(false)
        .with_max_level(LevelFilter::INFO)
        .with_writer(lines)
        .finish();
    tracing::subscriber::set_default(subscriber)
}

struct Lines(Mutex<Arc<Trace>>);

/// One message on its way into the story.
struct Line(Arc<Trace>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl io::Write for Line {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        self.0.say("", String::from_utf8_lossy(message).trim_end());
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
