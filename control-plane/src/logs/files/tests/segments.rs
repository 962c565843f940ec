//! Long logs, and many.

use std::{fs, sync::Arc, time::Instant};

use domain::log::LogLevel;
use tokio::task::JoinSet;

use crate::logs::{
    LogCursor, LogFiles, LogHub, LogStore, TaskLines,
    contract::{all, check, lines, task},
};

/// Lines of 200 bytes.
fn long(task: domain::task::TaskKey, numbers: std::ops::Range<u64>) -> TaskLines {
    let mut lines = lines(task, numbers);
    for line in &mut lines.lines {
        line.level = LogLevel::Info;
        line.text = format!("{:x<200}", line.number);
    }
    lines
}

#[tokio::test]
async fn a_long_log_goes_over_several_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let task = task(1, 0, 1);
    let mut logs = LogFiles::open(folder.path()).expect("opens");
    let mut next = 0;
    while next < 60_000 {
        next = logs.append(long(task, next..next + 500)).await.expect("is taken").next;
        if next == 30_000 {
            drop(logs);
            logs = LogFiles::open(folder.path()).expect("opens");
        }
    }
    let files = fs::read_dir(folder.path().join(task.deployment.to_string())).expect("lists").count();
    assert!((3..6).contains(&files), "{files} files");
    let read = all(&logs, task.deployment, 1000).await;
    assert!(read.iter().zip(0..).all(|(entry, number)| entry.line.number == number && entry.seq == number + 1));
    assert_eq!(read.len(), 60_000);
    for after in [0, 19_999, 20_000, 41_234, 59_999, 60_000] {
        let (read, _) = logs.read(task.deployment, LogCursor::after(after), 1).await.expect("can be read");
        assert_eq!(read.first().map(|entry| entry.seq), (after < 60_000).then_some(after + 1));
    }
    drop(logs);
    let logs = LogFiles::open(folder.path()).expect("opens");
    assert_eq!(logs.append(long(task, 59_990..60_001)).await.expect("is taken").next, 60_001);
}

#[tokio::test]
async fn more_logs_than_are_kept_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = Arc::new(LogFiles::open(folder.path()).expect("opens"));
    for round in 0..2 {
        let mut senders = JoinSet::new();
        for deployment in 1..=600 {
            let (logs, task) = (logs.clone(), task(deployment, 0, 1));
            senders.spawn(async move { logs.append(lines(task, round * 3..round * 3 + 3)).await.expect("is taken").next });
        }
        assert!(senders.join_all().await.into_iter().all(|next| next == round * 3 + 3));
    }
    for deployment in 1..=600 {
        let task = task(deployment, 0, 1);
        assert_eq!(check(&all(&*logs, task.deployment, 100).await)[&task], 6);
    }
}

/// `cargo test -p control-plane --lib -- --ignored --nocapture lines_a_second`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn lines_a_second() {
    const LINES: u64 = 1_000_000;
    const TASKS: u64 = 10;
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Arc::new(LogHub::new(Arc::new(LogFiles::open(folder.path()).expect("opens"))));
    let mut follower = hub.follow(task(1, 0, 1).deployment, 0);
    let started = Instant::now();
    let mut senders = JoinSet::new();
    for step in 0..TASKS {
        let hub = hub.clone();
        senders.spawn(async move {
            let (task, mut next) = (task(1, step as u32, 1), 0);
            while next < LINES / TASKS {
                next = hub.append(long(task, next..next + 500)).await.expect("is taken").next;
            }
        });
    }
    let mut read = 0;
    while read < LINES {
        read += follower.next().await.expect("can be read").len() as u64;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{LINES} lines of 200 bytes, durable and followed: {:.0} lines/s", LINES as f64 / seconds);
}
