//! Who goes first. Taking something back, or putting production back, goes before everything that goes forward: that is when
//! customers wait.

use std::future::Future;

use domain::task::Direction;

/// In which order calls get their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// What takes something back.
    Back,
    /// What goes forward, and questions.
    Forward,
}

impl From<Direction> for Lane {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Perform => Self::Forward,
            Direction::Undo => Self::Back,
        }
    }
}

tokio::task_local! {
    static LANE: Lane;
}

/// Runs something whose calls to AWS are in this lane.
pub async fn within<F: Future>(lane: Lane, work: F) -> F::Output {
    LANE.scope(lane, work).await
}

/// The lane of whoever asks; whoever said nothing goes forward.
pub fn current() -> Lane {
    LANE.try_with(|lane| *lane).unwrap_or(Lane::Forward)
}
