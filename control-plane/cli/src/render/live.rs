//! A deployment's story on a terminal: what was said scrolls by, each step's lines under its name; below it stand all steps, with a
//! spinner and the time at the one that runs.

use std::time::Duration;

use console::Style;
use domain::{
    console::visible,
    deployment::{DeploymentView, StepState, StepView},
    log::LogLevel,
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    Look,
    failure::failure,
    plain::standing,
    story::Said,
    time::{between, seconds},
};

/// Steps of which each has a line of its own below; of more, only the one that runs.
const MOST_STEPS: usize = 12;
/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// The steps below what scrolls by.
pub struct Live {
    bars: MultiProgress,
    steps: Vec<(StepState, ProgressBar)>,
    look: Look,
}

impl Live {
    /// Draws on this terminal.
    pub fn new(target: ProgressDrawTarget, look: Look) -> Self {
        Self { bars: MultiProgress::with_draw_target(target), steps: Vec::new(), look }
    }

    /// Tells it.
    pub fn tell(&self, said: &Said) {
        let paint = |style: Style, text: &str| self.look.paint(style, text);
        let (good, bad, dim) = (Style::new().green(), Style::new().red(), Style::new().dim());
        let text = match said {
            Said::Standing(status, id) => {
                paint(Style::new().yellow(), &format!("\n{}", standing(status, *id).unwrap_or_default().trim_end()))
            }
            Said::Ignored { name, failure: why, .. } => {
                let why = why.as_ref().map_or_else(String::new, |why| format!("\n{}", failure(why, "    ").trim_end()));
                format!("{} {} failed, and is passed over{why}", paint(Style::new().yellow(), "–"), visible(name))
            }
            Said::Began { name, section, .. } => {
                let section = if section.is_empty() { String::new() } else { paint(dim, &format!("{section} · ")) };
                format!("\n{section}{}", paint(Style::new().bold(), &visible(name)))
            }
            Said::Again { attempt, .. } => paint(dim, &format!("    attempt {attempt}")),
            Said::Line(line) => {
                let text = format!("    {}", visible(line.text.trim_end()));
                match line.level {
                    LogLevel::Info => text,
                    LogLevel::Warn => paint(Style::new().yellow(), &text),
                    LogLevel::Error => paint(bad, &text),
                }
            }
            Said::Retrying { name, failure: why, .. } => {
                let why = why.as_ref().map_or_else(String::new, |why| format!("\n{}", failure(why, "    ").trim_end()));
                format!("{} {} failed for a passing reason and is tried again{why}", paint(bad, "✗"), visible(name))
            }
            Said::Done { name, took_ms, .. } => {
                let took = took_ms.map_or_else(String::new, |took_ms| paint(dim, &format!("  {}", seconds(took_ms))));
                format!("{} {}{took}", paint(good, "✓"), visible(name))
            }
            Said::Failed { name, failure: why, .. } => {
                let why = why.as_ref().map_or_else(String::new, |why| format!("\n{}", failure(why, "    ").trim_end()));
                format!("{} {} failed{why}", paint(bad, "✗"), visible(name))
            }
        };
        self.print(&text);
    }

    /// Lines that scroll by.
    pub fn print(&self, text: &str) {
        // A terminal that has gone away is no reason to fail.
        let _ = self.bars.println(text);
    }

    /// Brings the steps below up to date.
    pub fn steps(&mut self, view: &DeploymentView, now_ms: i64) {
        if self.steps.is_empty() {
            for _ in view.steps.iter().take(MOST_STEPS) {
                let bar = self.bars.add(ProgressBar::new_spinner().with_style(template("{msg}")));
                self.steps.push((StepState::Skipped, bar));
            }
        }
        let wide = view.steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
        for (step, (shown, bar)) in view.steps.iter().zip(&mut self.steps) {
            let state = step.undo.as_ref().map_or(step.state, |undo| undo.state);
            let text = one_line(step, state, wide, self.look);
            if state == StepState::Running && *shown != StepState::Running {
                let since = now_ms.saturating_sub(step.started_at_ms.filter(|_| step.undo.is_none()).unwrap_or(now_ms));
                bar.set_style(template("{spinner} {msg}  {elapsed}"));
                bar.set_elapsed(Duration::from_millis(u64::try_from(since).unwrap_or(0)));
                bar.enable_steady_tick(TICK);
            } else if state != StepState::Running && (*shown == StepState::Running || bar.message().is_empty()) {
                bar.disable_steady_tick();
                bar.set_style(template("{msg}"));
            }
            *shown = state;
            bar.set_message(text);
            bar.tick();
        }
    }

    /// Takes the steps away; what scrolled by stays.
    pub fn end(self) {
        for (_, bar) in &self.steps {
            bar.finish_and_clear();
        }
        let _ = self.bars.clear();
    }
}

fn one_line(step: &StepView, state: StepState, wide: usize, look: Look) -> String {
    let name = step.undo.as_ref().map_or(&step.name, |undo| &undo.name);
    let name = format!("{:<wide$}", visible(name));
    let took = between(step.started_at_ms, step.ended_at_ms);
    match state {
        StepState::Running => name,
        StepState::Succeeded => format!("{} {name}  {took}", look.paint(Style::new().green(), "✓")),
        StepState::Failed => format!("{} {name}  {took}", look.paint(Style::new().red(), "✗")),
        StepState::Wanted => format!("… {name}  waits for a delegate"),
        StepState::WaitingToRetry => format!("… {name}  is tried again"),
        StepState::WaitingForPerson => format!("… {name}  waits for a person"),
        StepState::Ignored => format!("{} {name}  {took}  ignored", look.paint(Style::new().yellow(), "–")),
        StepState::Pending | StepState::Skipped => look.paint(Style::new().dim(), &format!("· {name}")),
    }
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use indicatif::TermLike;

    use super::*;
    use crate::render::{fixture::rolled_back, story::Story};

    /// A terminal that keeps whatever was written.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl Paper {
        fn put(&self, text: &str) -> io::Result<()> {
            self.0.lock().expect("no test panicked while writing").push_str(text);
            Ok(())
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.put(text)?;
            self.put("\n")
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.put(text)
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_was_said_stands_above_the_steps_and_nothing_steers_the_terminal() {
        let paper = Paper::default();
        let mut live = Live::new(ProgressDrawTarget::term_like(Box::new(paper.clone())), Look::PLAIN);
        let (mut story, view) = (Story::default(), rolled_back());
        let mut said = story.view(&view, Duration::ZERO);
        said.extend(story.rest());
        live.steps(&view, 0);
        for said in &said {
            live.tell(said);
        }
        live.end();
        let written = paper.0.lock().expect("nobody writes any more").clone();
        for expected in ["✗ Upgrade Containers failed", "AccessDeniedException", "✓ Rollback Setup", "\\u{1b}[2J"] {
            assert!(written.contains(expected), "{expected} in\n{written}");
        }
        assert!(!written.contains("\u{1b}[2J"), "{written}");
    }
}
