//! A deployment while it runs: each step with its time, its log lines under it. On a terminal a spinner shows what runs; elsewhere
//! every line stands for itself.

use std::{collections::BTreeMap, io::IsTerminal as _, time::Duration};

use domain::{
    console::visible,
    deployment::{DeploymentStatus, DeploymentView, StepState, StepView},
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{failure::failure, status_word};

/// A line of the log, as the API gives it.
pub struct LogText<'a> {
    /// The step's name.
    pub step: &'a str,
    /// `info`, `warn` or `error`.
    pub level: &'a str,
    /// The text, raw.
    pub text: &'a str,
}

/// Prints a deployment's progress.
pub struct Follow {
    spinner: Option<ProgressBar>,
    seen: BTreeMap<(u32, bool), StepState>,
    waiting: Vec<String>,
    queued: bool,
    to_stderr: bool,
}

impl Follow {
    /// To standard output, or to standard error when standard output is for data.
    pub fn new(to_stderr: bool) -> Self {
        let terminal = if to_stderr { std::io::stderr().is_terminal() } else { std::io::stdout().is_terminal() };
        let plain = std::env::var_os("NO_COLOR").is_some() || std::env::var_os("CI").is_some();
        let spinner = (terminal && !plain).then(|| {
            let spinner = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            spinner.set_style(style);
            spinner.enable_steady_tick(Duration::from_millis(120));
            spinner
        });
        Self { spinner, seen: BTreeMap::new(), waiting: Vec::new(), queued: false, to_stderr }
    }

    /// Something to know that is not of the deployment itself.
    pub fn remark(&self, text: &str) {
        let line = format!("{}", visible(text));
        match &self.spinner {
            Some(spinner) => spinner.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// The deployment as it stands now.
    pub fn view(&mut self, view: &DeploymentView) {
        match &view.status {
            DeploymentStatus::Queued if !self.queued => {
                self.queued = true;
                self.line("Queued: another deployment of this service and infrastructure goes first.");
            }
            DeploymentStatus::WaitingForDelegate { reasons } if *reasons != self.waiting => {
                self.waiting.clone_from(reasons);
                self.line("No delegate can take the next task:");
                for reason in reasons {
                    self.line(&format!("  - {}", visible(reason)));
                }
            }
            _ => {}
        }
        for step in &view.steps {
            self.step(step);
        }
    }

    /// A line of its log.
    pub fn log(&mut self, entry: &LogText<'_>) {
        let text = visible(entry.text);
        let line = match entry.level {
            "error" => format!("    ! {text}"),
            "warn" => format!("    ~ {text}"),
            _ => format!("    {text}"),
        };
        if self.spinner.is_some() { self.line(&line) } else { self.line(&format!("[{}] {}", visible(entry.step), line.trim_end())) }
    }

    /// Its end.
    pub fn end(&mut self, view: &DeploymentView) {
        if let Some(spinner) = self.spinner.take() {
            spinner.finish_and_clear();
        }
        let took = view.finished_at_ms.map(|end| end - view.created_at_ms).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
        let took = took as f64 / 1_000.0;
        self.line(&format!("\nDeployment {} of {}: {} ({took:.1} s)", view.id, visible(&view.image), status_word(&view.status)));
        if let DeploymentStatus::Finished { outcome: domain::outcome::Outcome::NeedsOperator(remains) } = &view.status {
            for sentence in remains {
                self.line(&format!("  - {}", visible(sentence)));
            }
        }
    }

    fn step(&mut self, step: &StepView) {
        self.change((step.index, false), &step.name, step.state, step);
        if let Some(undo) = &step.undo {
            self.change((step.index, true), &undo.name, undo.state, step);
            if let (StepState::Failed, Some(failed)) = (undo.state, &undo.failure) {
                self.block(&failure(failed, "    "));
            }
        }
    }

    fn change(&mut self, key: (u32, bool), name: &str, state: StepState, step: &StepView) {
        let before = self.seen.insert(key, state);
        if before == Some(state) {
            return;
        }
        let name = visible(name).into_owned();
        let began = matches!(state, StepState::Running | StepState::Succeeded | StepState::Failed);
        let new = matches!(before, None | Some(StepState::Pending | StepState::Wanted));
        if began && new {
            let section = if key.1 { "Rollback" } else { step.kind.section() };
            self.line(&format!("\n{section} · {name}"));
        }
        match state {
            StepState::Running => {
                if let Some(spinner) = &self.spinner {
                    spinner.set_message(name);
                    spinner.reset_elapsed();
                }
            }
            StepState::Succeeded => {
                let took = if key.1 { String::new() } else { took(step) };
                self.line(&format!("✓ {name}{took}"));
            }
            StepState::Failed => {
                self.line(&format!("✗ {name}"));
                if let (false, Some(failed)) = (key.1, &step.failure) {
                    self.block(&failure(failed, "    "));
                }
            }
            StepState::WaitingToRetry => self.line(&format!("~ {name} failed for a passing reason and is tried again")),
            StepState::Pending | StepState::Wanted | StepState::Skipped => {}
        }
    }

    fn block(&self, text: &str) {
        for line in text.lines() {
            self.line(line);
        }
    }

    /// One line; a reader that has gone away is no reason to fail.
    fn line(&self, line: &str) {
        use std::io::Write as _;
        let write = || {
            let _ = if self.to_stderr { writeln!(std::io::stderr(), "{line}") } else { writeln!(std::io::stdout(), "{line}") };
        };
        match &self.spinner {
            Some(spinner) => spinner.suspend(write),
            None => write(),
        }
    }
}

fn took(step: &StepView) -> String {
    match (step.started_at_ms, step.ended_at_ms) {
        #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
        (Some(from), Some(to)) => format!(" ({:.1} s)", (to - from) as f64 / 1_000.0),
        _ => String::new(),
    }
}
