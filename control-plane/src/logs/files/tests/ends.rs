//! How a log ends after a crash: in the middle of a write, with rubbish, or not at all.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::logs::{
    LogCursor, LogError, LogFiles, LogStore,
    contract::{all, check, contract, lines, task},
};

contract!({
    let folder = tempfile::tempdir().expect("a folder");
    (Arc::new(LogFiles::open(folder.path()).expect("opens")), folder)
});

fn segment(folder: &Path) -> PathBuf {
    folder.join(task(1, 0, 1).deployment.to_string()).join("00000000000000000001.log")
}

/// A log of 20 lines in two appends; gives its bytes and where the second begins.
async fn written(folder: &Path) -> (Vec<u8>, usize) {
    let task = task(1, 0, 1);
    let logs = LogFiles::open(folder).expect("opens");
    logs.append(lines(task, 0..10)).await.expect("is taken");
    let first = fs::read(segment(folder)).expect("is there").len();
    logs.append(lines(task, 10..20)).await.expect("is taken");
    (fs::read(segment(folder)).expect("is there"), first)
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (task(1, 0, 1), task(1, 1, 1));
    for round in 0..5 {
        let logs = LogFiles::open(folder.path()).expect("opens");
        // Sent again after the restart, because the acknowledgement was lost.
        let again = (round * 3_u64).saturating_sub(2);
        assert_eq!(logs.append(lines(one, again..round * 3 + 3)).await.expect("is taken").next, round * 3 + 3);
        assert_eq!(logs.append(lines(two, round..round + 1)).await.expect("is taken").next, round + 1);
        drop(logs);
        let logs = LogFiles::open(folder.path()).expect("opens");
        let counts = check(&all(&logs, one.deployment, 4).await);
        assert_eq!((counts[&one], counts[&two]), (round * 3 + 3, round + 1), "is read without being opened for writing");
    }
    let error = LogFiles::open(folder.path()).and_then(|_first| LogFiles::open(folder.path())).err().expect("is locked");
    assert!(error.to_string().contains("another control plane"), "{error}");
}

#[tokio::test]
async fn a_torn_end_is_cut_off_and_sent_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let task = task(1, 0, 1);
    let (bytes, first) = written(folder.path()).await;
    for end in (0..bytes.len()).step_by(7).chain([first - 1, first, first + 1, bytes.len() - 1]) {
        fs::write(segment(folder.path()), &bytes[..end]).expect("writes");
        let kept = if end >= first { 10 } else { 0 };
        let logs = LogFiles::open(folder.path()).expect("opens");
        assert_eq!(all(&logs, task.deployment, 100).await.len(), kept, "cut at {end}");
        // A delegate that has them all acknowledged but the last ten sends those; one that has not, sends what is wanted.
        let next = logs.append(lines(task, 10..20)).await.expect("answers").next;
        assert_eq!(next, if kept == 10 { 20 } else { 0 });
        logs.append(lines(task, next..25)).await.expect("is taken");
        assert_eq!(check(&all(&logs, task.deployment, 100).await)[&task], 25);
    }
}

#[tokio::test]
async fn whatever_an_unfinished_write_leaves_behind_harms_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let task = task(1, 0, 1);
    let (bytes, first) = written(folder.path()).await;
    let mut rng = StdRng::seed_from_u64(3);
    for _ in 0..60 {
        // Acknowledged up to `first`; of the rest, some bytes reached the disk, some are zeros, some are rubbish, some were never there.
        let mut found = bytes.clone();
        for byte in &mut found[first..] {
            *byte = match rng.random_range(0..40) {
                0 => 0,
                1 => rng.random(),
                _ => *byte,
            };
        }
        match rng.random_range(0..3) {
            0 => found[first..].fill(0),
            1 => found.extend((0..rng.random_range(1..9000)).map(|_| rng.random::<u8>())),
            _ => {}
        }
        fs::write(segment(folder.path()), &found).expect("writes");
        let logs = LogFiles::open(folder.path()).expect("opens");
        let read = all(&logs, task.deployment, 100).await.len();
        assert!(read == 10 || (read == 20 && found.starts_with(&bytes)), "{read}");
        assert_eq!(logs.append(lines(task, 10..30)).await.expect("is taken").next, 30);
        assert_eq!(check(&all(&logs, task.deployment, 100).await)[&task], 30);
    }
}

#[tokio::test]
async fn damage_is_told_and_never_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let task = task(1, 0, 1);
    let (bytes, first) = written(folder.path()).await;
    let logs = LogFiles::open(folder.path()).expect("opens");
    logs.append(lines(task, 20..21)).await.expect("is taken");
    let file = OpenOptions::new().write(true).open(segment(folder.path())).expect("is there");
    for position in [first, first + 5, first + 40, bytes.len() - 1] {
        file.write_all_at(&[bytes[position] ^ 4], position as u64).expect("writes");
        let (read, cursor) = logs.read(task.deployment, LogCursor::start(), 5).await.expect("what is before it");
        assert_eq!(read.len(), 5);
        assert_eq!(logs.read(task.deployment, cursor, 100).await, Err(LogError::Corrupt { after: 10 }), "at {position}");
        file.write_all_at(&[bytes[position]], position as u64).expect("writes");
        assert_eq!(check(&all(&logs, task.deployment, 100).await)[&task], 21);
    }
}
