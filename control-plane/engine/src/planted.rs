//! Rules broken on purpose, in tests only: the explorer must find each (see `explorer/`). In every other build the answer is a
//! constant `false`.

/// A rule that can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    /// Undo only steps that succeeded, not every step that ever ran.
    UndoOnlySucceeded,
    /// Take a late attempt's report for the newest one's.
    AcceptStale,
}

#[cfg(test)]
thread_local! {
    static BROKEN: std::cell::Cell<Option<Planted>> = const { std::cell::Cell::new(None) };
}

/// Whether this rule is broken on this thread.
#[cfg(test)]
pub(crate) fn is_planted(rule: Planted) -> bool {
    BROKEN.get() == Some(rule)
}

/// Whether this rule is broken: never.
#[cfg(not(test))]
pub(crate) const fn is_planted(_rule: Planted) -> bool {
    false
}

/// Breaks a rule on this thread, or none.
#[cfg(test)]
pub(crate) fn plant(rule: Option<Planted>) {
    BROKEN.set(rule);
}
