//! What happened, in the order in which it is told.
//!
//! A deployment's state and its log travel on two streams, and the state is often a little ahead: a step must not be called done
//! before its last line was shown. So the end of a step waits a moment for its lines, and whatever comes after it waits behind it. A
//! line of a later step says that the wait is over. Pure: time comes in as an argument.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use domain::{
    deployment::{DeploymentStatus, DeploymentView, StepState, StepView},
    failure::Failure,
    ids::DeploymentId,
    log::LogLevel,
    task::Direction,
};

/// How long the end of a step waits for its last lines.
const HOLD: Duration = Duration::from_millis(300);

/// A step, or its undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The step's position in the plan, from 0.
    pub step: u32,
    /// Whether its undo is meant.
    pub undo: bool,
}

/// Something that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It does not go on by itself now, or steps are undone from here on.
    Standing(DeploymentStatus, DeploymentId),
    /// A step begins.
    Began {
        /// Which.
        part: Part,
        /// Its name.
        name: String,
        /// The section that it stands in.
        section: &'static str,
    },
    /// It was given to a delegate once more.
    Again {
        /// Which.
        part: Part,
        /// Its name.
        name: String,
        /// Which attempt this is, from 2.
        attempt: u32,
    },
    /// A line of its log.
    Line(Line),
    /// It failed for a passing reason and is tried again.
    Retrying {
        /// Which.
        part: Part,
        /// Its name.
        name: String,
        /// Why.
        failure: Option<Failure>,
    },
    /// It is done.
    Done {
        /// Which.
        part: Part,
        /// Its name.
        name: String,
        /// How long it took; an undo's time is not known.
        took_ms: Option<i64>,
    },
    /// It failed, and the deployment goes on without it.
    Ignored {
        /// Which.
        part: Part,
        /// Its name.
        name: String,
        /// Why it failed, unless that was told.
        failure: Option<Failure>,
    },
    /// It was given up.
    Failed {
        /// Which.
        part: Part,
        /// Its name.
        name: String,
        /// Why.
        failure: Option<Failure>,
    },
}

/// A line of a step's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whose.
    pub part: Part,
    /// The step's name (of an undo: the undo's).
    pub name: String,
    /// How much it matters.
    pub level: LogLevel,
    /// The text, raw.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    state: StepState,
    attempt: u32,
}

/// Puts views and lines in order.
#[derive(Debug, Default)]
pub struct Story {
    told: BTreeMap<Part, Told>,
    standing: Option<DeploymentStatus>,
    held: VecDeque<(Duration, Said)>,
}

impl Story {
    /// The deployment as it stands now. Gives what is told at once.
    pub fn view(&mut self, view: &DeploymentView, now: Duration) -> Vec<Said> {
        let mut news = Vec::new();
        self.standing(view, &mut news);
        for step in &view.steps {
            let state = (step.state, step.failure.as_ref());
            self.part(step, Part { step: step.index, undo: false }, &step.name, state, &mut news);
        }
        for step in view.steps.iter().rev() {
            if let Some(undo) = &step.undo {
                let state = (undo.state, undo.failure.as_ref());
                self.part(step, Part { step: step.index, undo: true }, &undo.name, state, &mut news);
            }
        }
        for said in news {
            let due =
                if matches!(said, Said::Done { .. } | Said::Failed { .. } | Said::Ignored { .. }) { now + HOLD } else { now };
            self.held.push_back((due, said));
        }
        self.due(now)
    }

    /// A line of the log. Gives what is told at once.
    pub fn line(&mut self, line: Line) -> Vec<Said> {
        let begins = self.held.iter().rposition(|(_, said)| matches!(said, Said::Began { part, .. } if *part == line.part));
        let unknown = !self.told.contains_key(&line.part);
        let told = if unknown { self.held.len() } else { begins.map_or(0, |at| at + 1) };
        let mut said: Vec<Said> = self.held.drain(..told).map(|(_, said)| said).collect();
        if unknown {
            // The log is ahead for once.
            self.told.insert(line.part, Told { state: StepState::Running, attempt: 1 });
            said.push(Said::Began { part: line.part, name: line.name.clone(), section: "" });
        }
        said.push(Said::Line(line));
        said
    }

    /// What has waited long enough.
    pub fn due(&mut self, now: Duration) -> Vec<Said> {
        let due = self.held.iter().take_while(|(due, _)| *due <= now).count();
        self.held.drain(..due).map(|(_, said)| said).collect()
    }

    /// When the next has waited long enough.
    pub fn next_due(&self) -> Option<Duration> {
        self.held.front().map(|(due, _)| *due)
    }

    /// Everything that still waits: nothing comes any more.
    pub fn rest(&mut self) -> Vec<Said> {
        self.held.drain(..).map(|(_, said)| said).collect()
    }

    fn standing(&mut self, view: &DeploymentView, news: &mut Vec<Said>) {
        if self.standing.as_ref() == Some(&view.status) {
            return;
        }
        self.standing = Some(view.status.clone());
        match &view.status {
            DeploymentStatus::Queued { .. }
            | DeploymentStatus::WaitingForDelegate { .. }
            | DeploymentStatus::Paused { .. }
            | DeploymentStatus::WaitingForPerson { .. }
            | DeploymentStatus::WaitingForApproval { .. }
            | DeploymentStatus::RollingBack => news.push(Said::Standing(view.status.clone(), view.id)),
            DeploymentStatus::Running | DeploymentStatus::Finished { .. } => {}
        }
    }

    fn part(
        &mut self,
        step: &StepView,
        part: Part,
        name: &str,
        (state, failure): (StepState, Option<&Failure>),
        news: &mut Vec<Said>,
    ) {
        use StepState::{Failed, Ignored, Pending, Running, Skipped, Succeeded, WaitingForPerson, WaitingToRetry, Wanted};
        let before = self.told.get(&part).copied();
        let direction = if part.undo { Direction::Undo } else { Direction::Perform };
        let attempt = step.attempts.iter().filter(|held| held.direction == direction).map(|held| held.attempt).max().unwrap_or(0);
        let began = before.is_some()
            || attempt > 0
            || matches!(state, Running | Succeeded | Failed | WaitingToRetry | WaitingForPerson | Ignored);
        if !began || state == Skipped {
            return;
        }
        let name = name.to_owned();
        match before {
            None => {
                let section = if part.undo { "Rollback" } else { step.kind.section() };
                news.push(Said::Began { part, name: name.clone(), section });
            }
            Some(told) if attempt > told.attempt.max(1) => news.push(Said::Again { part, name: name.clone(), attempt }),
            Some(_) => {}
        }
        if before.is_none_or(|told| told.state != state) {
            let told_failed = before.is_some_and(|told| matches!(told.state, Failed | WaitingForPerson));
            let failure = failure.cloned();
            let took_ms = step.started_at_ms.zip(step.ended_at_ms).filter(|_| !part.undo).map(|(from, to)| to - from);
            match state {
                Succeeded => news.push(Said::Done { part, name, took_ms }),
                // Who decides what is done about it, and how, is told by how the deployment stands.
                Failed if before.is_some_and(|told| told.state == WaitingForPerson) => {}
                Failed | WaitingForPerson => news.push(Said::Failed { part, name, failure }),
                Ignored => news.push(Said::Ignored { part, name, failure: failure.filter(|_| !told_failed) }),
                WaitingToRetry => news.push(Said::Retrying { part, name, failure }),
                Pending | Wanted | Running | Skipped => {}
            }
        }
        self.told.insert(part, Told { state, attempt });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture::{finished, running};

    fn line(step: u32, text: &str) -> Line {
        let part = Part { step, undo: false };
        Line { part, name: format!("step {step}"), level: LogLevel::Info, text: text.to_owned() }
    }

    fn short(said: &[Said]) -> Vec<String> {
        let word = |said: &Said| match said {
            Said::Standing(status, _) => crate::render::status_word(status),
            Said::Ignored { part, .. } => format!("ignored {}", part.step),
            Said::Began { part, .. } => format!("began {}{}", part.step, if part.undo { " undo" } else { "" }),
            Said::Again { part, attempt, .. } => format!("again {} {attempt}", part.step),
            Said::Line(line) => format!("line {} {}", line.part.step, line.text),
            Said::Retrying { part, .. } => format!("retrying {}", part.step),
            Said::Done { part, .. } => format!("done {}{}", part.step, if part.undo { " undo" } else { "" }),
            Said::Failed { part, .. } => format!("failed {}", part.step),
        };
        said.iter().map(word).collect()
    }

    const fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_step_is_not_called_done_before_its_last_line() {
        let mut story = Story::default();
        assert_eq!(short(&story.view(&running(0), at(0))), ["began 0"]);
        assert_eq!(short(&story.line(line(0, "a"))), ["line 0 a"]);
        // The state is ahead of the log.
        assert!(story.view(&running(1), at(10)).is_empty());
        assert_eq!(story.next_due(), Some(at(310)));
        assert_eq!(short(&story.line(line(0, "b"))), ["line 0 b"]);
        assert_eq!(short(&story.line(line(1, "c"))), ["done 0", "began 1", "line 1 c"]);
        assert_eq!(story.next_due(), None);
    }

    #[test]
    fn a_silent_step_ends_after_a_moment() {
        let mut story = Story::default();
        story.view(&running(0), at(0));
        assert!(story.view(&running(1), at(10)).is_empty());
        assert!(story.due(at(309)).is_empty());
        assert_eq!(short(&story.due(at(310))), ["done 0", "began 1"]);
    }

    #[test]
    fn nothing_is_told_twice_and_nothing_is_forgotten() {
        let mut story = Story::default();
        story.view(&running(0), at(0));
        assert!(story.view(&running(0), at(1)).is_empty());
        story.view(&finished(), at(2));
        let rest = short(&story.rest());
        assert_eq!(rest, ["done 0", "began 1", "done 1", "began 2", "done 2"]);
        assert!(story.rest().is_empty() && story.view(&finished(), at(9_000)).is_empty());
    }

    #[test]
    fn a_log_that_is_ahead_opens_its_step() {
        let mut story = Story::default();
        story.view(&running(0), at(0));
        assert_eq!(short(&story.line(line(1, "early"))), ["began 1", "line 1 early"]);
        assert!(short(&story.view(&running(1), at(5))).is_empty());
        assert_eq!(short(&story.rest()), ["done 0"]);
    }
}
