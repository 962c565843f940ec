//! A deployment while it runs, told as the stream can show it.

use std::time::Duration;

use domain::{console::visible, deployment::DeploymentView};
use indicatif::ProgressDrawTarget;

use super::{
    Screen,
    live::Live,
    plain::plain,
    story::{Line, Said, Story},
};

/// Tells a deployment's progress: beside the data, or as data where no other is wanted.
pub struct Progress {
    story: Story,
    live: Option<Live>,
    beside: bool,
}

impl Progress {
    /// `beside`: standard output is for data.
    pub fn new(screen: &Screen, beside: bool) -> Self {
        let look = if beside { screen.err_look } else { screen.out_look };
        let target = if beside { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::stdout() };
        Self { story: Story::default(), live: look.live.then(|| Live::new(target, look)), beside }
    }

    /// The deployment as it stands; `now` counts from any fixed moment, `now_ms` from 1970.
    pub fn view(&mut self, screen: &mut Screen, view: &DeploymentView, now: Duration, now_ms: i64) {
        if let Some(live) = &mut self.live {
            live.steps(view, now_ms);
        }
        let said = self.story.view(view, now);
        self.tell(screen, &said);
    }

    /// A line of its log.
    pub fn line(&mut self, screen: &mut Screen, line: Line) {
        let said = self.story.line(line);
        self.tell(screen, &said);
    }

    /// What has waited long enough.
    pub fn due(&mut self, screen: &mut Screen, now: Duration) {
        let said = self.story.due(now);
        self.tell(screen, &said);
    }

    /// When the next has waited long enough.
    pub fn next_due(&self) -> Option<Duration> {
        self.story.next_due()
    }

    /// Something to know that is not of the deployment itself.
    pub fn remark(&self, screen: &mut Screen, text: &str) {
        match &self.live {
            Some(live) => live.print(&visible(text)),
            None => screen.note(&format!("{}\n", visible(text))),
        }
    }

    /// Nothing comes any more: tells the rest and takes away what was drawn.
    pub fn end(mut self, screen: &mut Screen) {
        let said = self.story.rest();
        self.tell(screen, &said);
        if let Some(live) = self.live {
            live.end();
        }
    }

    fn tell(&self, screen: &mut Screen, said: &[Said]) {
        for said in said {
            match &self.live {
                Some(live) => live.tell(said),
                None if self.beside => screen.note(&plain(said)),
                // Following goes on for its outcome even if nobody reads.
                None => drop(screen.data(&plain(said))),
            }
        }
    }
}
