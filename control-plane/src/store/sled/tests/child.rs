//! A process of its own that commits: this test program, started again.
//!
//! It commits numbers, each in one change set over three tables, and prints those that were acknowledged.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use futures::future::join_all;

use super::bench::options;
use crate::store::{ChangeSet, KeyRange, SledStore, Store, StoreHealth, Table};

const FOLDER: &str = "SEGUE_TEST_STORE";
const VALUE_BYTES: &str = "SEGUE_TEST_VALUE_BYTES";
/// Commits at once.
const TOGETHER: u64 = 6;

/// What the child says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Acknowledged(u64),
    /// A commit was refused, and the store is read-only, with this reason.
    Refused(String),
}

/// The change set of a number.
pub(super) fn change(number: u64, value_bytes: usize) -> ChangeSet {
    let mut change = ChangeSet::new();
    change.expect_absent(Table::Journal, number.to_be_bytes().to_vec());
    change.put(Table::Journal, number.to_be_bytes().to_vec(), value(number, value_bytes));
    change.put(Table::Resource, (number % 40).to_be_bytes().to_vec(), value(number, value_bytes));
    change.put(Table::Deployment, number.to_be_bytes().to_vec(), number.to_be_bytes().to_vec());
    change
}

/// Bytes that name their number and do not compress.
pub(super) fn value(number: u64, bytes: usize) -> Vec<u8> {
    let mut value = vec![0; bytes.max(8)];
    blake3::Hasher::new().update(&number.to_be_bytes()).finalize_xof().fill(&mut value);
    value[..8].copy_from_slice(&number.to_be_bytes());
    value
}

/// The numbers in a store. Checks that each is there in all tables or in none, and as it was written.
pub(super) async fn numbers(store: &SledStore, value_bytes: usize) -> Vec<u64> {
    let journal = store.scan(Table::Journal, KeyRange::all(), usize::MAX).await.expect("can be read");
    let deployments = store.scan(Table::Deployment, KeyRange::all(), usize::MAX).await.expect("can be read");
    assert!(journal.iter().map(|(key, _)| key).eq(deployments.iter().map(|(key, _)| key)), "a change set is there in part");
    let number = |bytes: &[u8]| u64::from_be_bytes(bytes[..8].try_into().expect("eight bytes"));
    for (key, stored) in &journal {
        assert!(*stored == value(number(key), value_bytes), "a value is not what was written");
    }
    for (key, stored) in store.scan(Table::Resource, KeyRange::all(), usize::MAX).await.expect("can be read") {
        let newest = journal.iter().rev().map(|(at, _)| number(at)).find(|at| at % 40 == number(&key));
        assert_eq!(Some(number(&stored)), newest, "a row is not the newest");
    }
    journal.iter().map(|(key, _)| number(key)).collect()
}

/// Starts the child. With a limit, no file of its may become larger than so many MiB, which it takes for a full disk.
pub(super) fn start(folder: &Path, value_bytes: usize, limit_mib: Option<u64>) -> (Child, BufReader<ChildStdout>) {
    let program = env::current_exe().expect("this program");
    let mut command = match limit_mib {
        None => Command::new(program),
        Some(limit) => {
            let mut shell = Command::new("sh");
            // A signal that is ignored stays ignored in the child: it gets an error of its write instead.
            shell.args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\"", &(limit * 2048).to_string()]).arg(program);
            shell
        }
    };
    command.args(["store::sled::tests::child::commit_until_killed", "--exact", "--ignored", "--nocapture"]);
    command.env(FOLDER, folder).env(VALUE_BYTES, value_bytes.to_string());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
    let output = child.stdout.take().expect("is piped");
    (child, BufReader::new(output))
}

/// The next thing that the child says; none when it has ended.
pub(super) fn hear(output: &mut BufReader<ChildStdout>) -> Option<Said> {
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).expect("is readable") == 0 || !line.ends_with('\n') {
            return None;
        }
        // The test harness says things too, and begins a line that it does not end.
        let line = line.trim_end();
        if let Some(number) = line.rsplit_once("acknowledged ").and_then(|(_, number)| number.parse().ok()) {
            return Some(Said::Acknowledged(number));
        }
        if let Some((_, reason)) = line.split_once("refused: ") {
            return Some(Said::Refused(reason.to_owned()));
        }
    }
}

#[tokio::test]
#[ignore = "started by other tests, as a process to be killed"]
async fn commit_until_killed() {
    let folder = PathBuf::from(env::var_os(FOLDER).expect("a folder"));
    let value_bytes = env::var(VALUE_BYTES).expect("bytes").parse().expect("a number");
    let store = SledStore::open(&folder, &options()).expect("opens");
    let newest = store.scan(Table::Deployment, KeyRange::all().reverse(), 1).await.expect("can be read");
    let mut number = newest.first().map_or(0, |(_, stored)| u64::from_be_bytes(stored[..].try_into().expect("a number"))) + 1;
    loop {
        let together = number..number + TOGETHER;
        let commits = together.clone().map(|number| store.commit(change(number, value_bytes)));
        let committed = join_all(commits).await;
        let mut output = std::io::stdout().lock();
        for (number, committed) in together.zip(committed) {
            match committed {
                Ok(()) => writeln!(output, "acknowledged {number}").expect("is heard"),
                Err(error) => {
                    drop(output);
                    return refuse(&store, number, &error.to_string(), value_bytes).await;
                }
            }
        }
        number += TOGETHER;
    }
}

/// After the first refusal: health says why, every other commit is refused at once, and reads go on.
async fn refuse(store: &SledStore, number: u64, error: &str, value_bytes: usize) {
    let StoreHealth::ReadOnly { reason } = store.health() else { panic!("not read-only after {error}") };
    assert!(error.contains(&reason), "{error}: {reason}");
    let again = store.commit(change(number + 1000, value_bytes)).await.expect_err("takes nothing");
    assert!(again.to_string().contains(&reason), "{again}");
    let seen = numbers(store, value_bytes).await;
    assert!(!seen.contains(&number), "what was refused is seen");
    println!("refused: {reason}");
}
