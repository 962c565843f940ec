//! The step's console: lines for people, with secrets masked before they leave.

use std::sync::Arc;

use domain::log::LogLevel;

use super::{Secrets, StepLog};

/// Writes the lines of one attempt.
#[derive(Clone)]
pub struct Console {
    log: Arc<dyn StepLog>,
    secrets: Secrets,
}

impl Console {
    /// A console that writes to `log`, masking `secrets`.
    pub fn new(log: Arc<dyn StepLog>, secrets: Secrets) -> Self {
        Self { log, secrets }
    }

    /// The story.
    pub fn info(&self, text: impl AsRef<str>) {
        self.write(LogLevel::Info, text.as_ref());
    }

    /// Something a person should know, that stops nothing.
    pub fn warn(&self, text: impl AsRef<str>) {
        self.write(LogLevel::Warn, text.as_ref());
    }

    /// What made the step fail.
    pub fn error(&self, text: impl AsRef<str>) {
        self.write(LogLevel::Error, text.as_ref());
    }

    /// `text` with every secret value replaced.
    pub fn masked(&self, text: &str) -> String {
        self.secrets.mask(text)
    }

    fn write(&self, level: LogLevel, text: &str) {
        // Masked whole, before it is cut into lines: a secret may hold a line break.
        for line in self.secrets.mask(text).split('\n') {
            self.log.line(level, line.trim_end_matches('\r'));
        }
    }
}
