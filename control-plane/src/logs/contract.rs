//! The suite that every store of logs passes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{
    ids::DeploymentId,
    log::{LogLevel, LogLine},
    task::{Direction, TaskKey},
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{LogCursor, LogEntry, LogError, LogHub, LogStore, TaskLines};

/// Nothing here takes this long.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn task(deployment: u128, step: u32, attempt: u32) -> TaskKey {
    TaskKey { deployment: DeploymentId::new(Uuid::from_u128(deployment)), step, direction: Direction::Perform, attempt }
}

/// The line of a number: says whose it is.
pub(super) fn line(task: TaskKey, number: u64) -> LogLine {
    let level = [LogLevel::Info, LogLevel::Warn, LogLevel::Error][(number % 3) as usize];
    LogLine { number, at_ms: 1_000 + number.cast_signed(), level, text: format!("{task} says line {number}") }
}

pub(super) fn lines(task: TaskKey, numbers: std::ops::Range<u64>) -> TaskLines {
    let lines = numbers.map(|number| line(task, number)).collect();
    TaskLines { task, step_name: format!("step {}", task.step).into(), lines, dropped: 0 }
}

/// Everything in a log, read page by page.
pub(super) async fn all(store: &impl LogStore, deployment: DeploymentId, page: usize) -> Vec<LogEntry> {
    let (mut entries, mut cursor) = (Vec::new(), LogCursor::start());
    loop {
        let (read, next) = store.read(deployment, cursor, page).await.expect("can be read");
        if read.is_empty() {
            assert_eq!(next.seq(), cursor.seq());
            return entries;
        }
        assert!(read.len() <= page);
        entries.extend(read);
        cursor = next;
        assert_eq!(cursor.seq(), entries.len() as u64);
    }
}

/// Checks that entries are numbered without holes, and that of each attempt every line is there once, in order. Gives how many.
pub(super) fn check(entries: &[LogEntry]) -> BTreeMap<TaskKey, u64> {
    let mut next: BTreeMap<TaskKey, u64> = BTreeMap::new();
    for (position, entry) in entries.iter().enumerate() {
        assert_eq!(entry.seq, position as u64 + 1);
        let expected = next.entry(entry.task).or_default();
        assert_eq!(entry.line, line(entry.task, *expected));
        assert_eq!(*entry.step_name, format!("step {}", entry.task.step));
        *expected += 1;
    }
    next
}

/// Makes a test of each point of the contract; `$new` gives a store and what has to outlive it.
macro_rules! contract {
    ($new:expr; $($point:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $point() {
                let (store, _keep) = $new;
                $crate::logs::contract::$point(store).await;
            }
        )*
    };
    ($new:expr) => {
        $crate::logs::contract::contract! { $new;
            lines_are_taken_once
            a_hole_is_refused_or_said
            what_is_no_log_is_refused
            logs_do_not_mix
            a_cursor_reads_on
            followers_get_every_line_once
            a_follower_who_leaves_in_the_middle_loses_nothing
        }
    };
}
pub(super) use contract;

pub(super) async fn lines_are_taken_once(store: Arc<impl LogStore>) {
    let task = task(1, 0, 1);
    for (sent, next) in [(0..3, 3), (0..3, 3), (1..5, 5), (2..4, 5), (5..5, 5), (5..6, 6)] {
        assert_eq!(store.append(lines(task, sent)).await.expect("is taken").next, next);
    }
    assert_eq!(check(&all(&*store, task.deployment, 100).await), BTreeMap::from([(task, 6)]));
}

pub(super) async fn a_hole_is_refused_or_said(store: Arc<impl LogStore>) {
    let task = task(1, 0, 1);
    store.append(lines(task, 0..2)).await.expect("is taken");
    assert_eq!(store.append(lines(task, 3..5)).await.expect("answers").next, 2, "the wanted number is told");
    assert_eq!(store.append(TaskLines { dropped: 2, ..lines(task, 5..7) }).await.expect("answers").next, 2);
    assert_eq!(store.append(TaskLines { dropped: 3, ..lines(task, 5..7) }).await.expect("is taken").next, 7);
    assert_eq!(store.append(TaskLines { dropped: 3, ..lines(task, 5..8) }).await.expect("is taken").next, 8);
    let texts: Vec<_> = all(&*store, task.deployment, 1).await.into_iter().map(|entry| entry.line.text).collect();
    let mut expected: Vec<_> = [0, 1, 5, 6, 7].map(|number| line(task, number).text).into();
    expected.insert(2, "[3 lines lost here: the delegate's memory for logs was full]".to_owned());
    assert_eq!(texts, expected);
}

pub(super) async fn what_is_no_log_is_refused(store: Arc<impl LogStore>) {
    let task = task(1, 0, 1);
    let mut twisted = lines(task, 0..3);
    twisted.lines.swap(0, 1);
    assert!(matches!(store.append(twisted).await, Err(LogError::Malformed { .. })));
    assert_eq!(store.append(lines(task, 0..1)).await.expect("is taken").next, 1);
    assert_eq!(all(&*store, task.deployment, 100).await.len(), 1);
}

pub(super) async fn logs_do_not_mix(store: Arc<impl LogStore>) {
    let undo = TaskKey { direction: Direction::Undo, ..task(1, 0, 1) };
    let tasks = [task(1, 0, 1), task(1, 0, 2), task(1, 1, 1), undo, task(2, 0, 1)];
    for round in 0..3 {
        for task in tasks {
            store.append(lines(task, round * 2..round * 2 + 2)).await.expect("is taken");
        }
    }
    let first = check(&all(&*store, tasks[0].deployment, 3).await);
    assert_eq!(first, tasks[..4].iter().map(|task| (*task, 6)).collect());
    assert_eq!(check(&all(&*store, tasks[4].deployment, 100).await), BTreeMap::from([(tasks[4], 6)]));
    assert!(all(&*store, task(3, 0, 1).deployment, 100).await.is_empty());
}

pub(super) async fn a_cursor_reads_on(store: Arc<impl LogStore>) {
    let task = task(1, 0, 1);
    for first in (0..100).step_by(10) {
        store.append(lines(task, first..first + 10)).await.expect("is taken");
    }
    for after in [0, 1, 9, 10, 11, 55, 99, 100, 101, u64::MAX] {
        let (read, cursor) = store.read(task.deployment, LogCursor::after(after), 25).await.expect("can be read");
        let expected: Vec<_> = (after.saturating_add(1)..=100).take(25).collect();
        assert_eq!(read.iter().map(|entry| entry.seq).collect::<Vec<_>>(), expected);
        assert_eq!(cursor.seq(), expected.last().copied().unwrap_or(after));
        let (read, _) = store.read(task.deployment, cursor, 3).await.expect("can be read");
        assert_eq!(read.first().map(|entry| entry.seq), (cursor.seq() < 100).then(|| cursor.seq() + 1));
        assert!(store.read(task.deployment, LogCursor::after(after), 0).await.expect("can be read").0.is_empty());
    }
    for page in [1, 7, 10, 1000] {
        check(&all(&*store, task.deployment, page).await);
    }
}

/// Several delegates send at once, and send again; followers come before, in between and late.
pub(super) async fn followers_get_every_line_once(store: Arc<impl LogStore>) {
    const TASKS: u32 = 4;
    const LINES: u64 = 3000;
    let hub = Arc::new(LogHub::new(store.clone()));
    let deployment = task(1, 0, 1).deployment;
    let mut followers = JoinSet::new();
    let follow = |after: u64| {
        let mut follower = hub.follow(deployment, after);
        async move {
            let mut read = Vec::new();
            while after + (read.len() as u64) < u64::from(TASKS) * LINES {
                read.extend(follower.next().await.expect("can be read"));
            }
            assert!(follower.ready().await.expect("can be read").is_empty());
            (after, read)
        }
    };
    followers.spawn(follow(0));
    followers.spawn(follow(0));
    let mut senders = JoinSet::new();
    for step in 0..TASKS {
        let hub = hub.clone();
        senders.spawn(async move {
            let (task, mut next) = (task(1, step, 1), 0);
            while next < LINES {
                // Some come again: their acknowledgement was late.
                let first = next - next.min(u64::from(step) * 3);
                let sent = lines(task, first..(next + 37).min(LINES));
                let end = sent.lines.last().expect("some").number + 1;
                next = hub.append(sent).await.expect("is taken").next;
                assert_eq!(next, end);
            }
        });
    }
    followers.spawn(follow(500));
    senders.join_all().await;
    followers.spawn(follow(0));
    followers.spawn(follow(11_999));
    let whole = all(&*store, deployment, 1000).await;
    check(&whole);
    let followed = tokio::time::timeout(LIMIT, followers.join_all()).await.expect("in time");
    for (after, read) in followed {
        assert_eq!(read, whole[after as usize..]);
    }
}

pub(super) async fn a_follower_who_leaves_in_the_middle_loses_nothing(store: Arc<impl LogStore>) {
    let (hub, task) = (LogHub::new(store), task(1, 0, 1));
    let mut follower = hub.follow(task.deployment, 0);
    let mut read = Vec::new();
    for round in 0..200 {
        tokio::select! {
            biased;
            // Dropped at whatever point it has come to.
            () = tokio::task::yield_now() => {}
            entries = follower.next() => read.extend(entries.expect("can be read")),
        }
        hub.append(lines(task, round..round + 1)).await.expect("is taken");
    }
    while read.len() < 200 {
        read.extend(tokio::time::timeout(LIMIT, follower.next()).await.expect("in time").expect("can be read"));
    }
    assert_eq!(check(&read)[&task], 200);
}
