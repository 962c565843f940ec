//! The story of a run: what happened in the simulated world, when and to whom. The same seed tells the same story, byte for byte.

use std::{
    fmt::Write,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

/// A story being written.
pub struct Trace {
    began: Instant,
    text: Mutex<String>,
    violations: Mutex<Vec<String>>,
}

impl Trace {
    /// One that begins now, by the runtime's clock.
    pub fn new() -> Self {
        Self { began: Instant::now(), text: Mutex::default(), violations: Mutex::default() }
    }

    /// One more line.
    pub fn say(&self, who: &str, what: impl std::fmt::Display) {
        let at = self.began.elapsed();
        // Writing into a string can't fail.
        let _ = writeln!(lock(&self.text), "{:>6}.{:03} {who:<14} {what}", at.as_secs(), at.subsec_millis());
    }

    /// Something that must not be.
    pub fn violated(&self, what: impl std::fmt::Display) {
        let what = what.to_string();
        self.say("VIOLATION", &what);
        lock(&self.violations).push(what);
    }

    /// Whether something was that must not be.
    pub fn is_violated(&self) -> bool {
        !lock(&self.violations).is_empty()
    }

    /// Everything told so far, and what must not have been.
    pub fn told(&self) -> (String, Vec<String>) {
        (lock(&self.text).clone(), lock(&self.violations).clone())
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
