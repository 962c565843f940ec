//! A process that takes lines and is killed, or whose disk is full: this test program, started again.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use domain::task::TaskKey;
use futures::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::logs::{
    LogError, LogFiles, LogStore,
    contract::{all, check, lines, task},
};

const FOLDER: &str = "SEGUE_TEST_LOGS";
const ROUNDS: usize = 20;

fn tasks() -> [TaskKey; 4] {
    [task(1, 0, 1), task(1, 1, 1), task(2, 0, 1), task(3, 0, 1)]
}

/// Starts the child; with a limit, no file of its may become larger than so many KiB.
fn start(folder: &Path, limit_kib: Option<u64>) -> (Child, BufReader<ChildStdout>) {
    let program = env::current_exe().expect("this program");
    let mut command = match limit_kib {
        None => Command::new(program),
        Some(limit) => {
            let mut shell = Command::new("sh");
            // A signal that is ignored stays ignored in the child: it gets an error of its write instead.
            shell.args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\"", &(limit * 2).to_string()]).arg(program);
            shell
        }
    };
    command.args(["logs::files::tests::child::take_until_killed", "--exact", "--ignored", "--nocapture"]);
    let mut child =
        command.env(FOLDER, folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
    let output = child.stdout.take().expect("is piped");
    (child, BufReader::new(output))
}

/// What the child acknowledges next: an attempt and a number.
fn hear(output: &mut BufReader<ChildStdout>) -> Option<(TaskKey, u64)> {
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).expect("is readable") == 0 || !line.ends_with('\n') {
            return None;
        }
        let mut words = line.split_whitespace().skip_while(|word| *word != "durable").skip(1);
        if let (Some(task), Some(next)) = (words.next(), words.next()) {
            return Some((task.parse().expect("an attempt"), next.parse().expect("a number")));
        }
    }
}

async fn check_all(folder: &Path, acknowledged: &BTreeMap<TaskKey, u64>) {
    let logs = LogFiles::open(folder).expect("opens");
    for (task, next) in acknowledged {
        let found = check(&all(&logs, task.deployment, 1000).await);
        assert!(found[task] >= *next, "{task}: {} of {next} lines", found[task]);
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rng = StdRng::seed_from_u64(11);
    let mut acknowledged = BTreeMap::new();
    for _ in 0..ROUNDS {
        let (mut child, mut output) = start(folder.path(), None);
        let (mut heard, kill_after) = (0, rng.random_range(1..200));
        while let Some((task, next)) = hear(&mut output) {
            acknowledged.insert(task, next);
            heard += 1;
            if heard == kill_after {
                child.kill().expect("is killed");
            }
        }
        child.wait().expect("ends");
        assert!(heard >= kill_after, "the child ended by itself");
        check_all(folder.path(), &acknowledged).await;
    }
}

#[tokio::test]
async fn a_full_disk_refuses_lines_and_loses_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged = BTreeMap::new();
    for limit_kib in [700, 900] {
        let (mut child, mut output) = start(folder.path(), Some(limit_kib));
        while let Some((task, next)) = hear(&mut output) {
            acknowledged.insert(task, next);
        }
        assert!(child.wait().expect("ends").success(), "the child's own checks");
        check_all(folder.path(), &acknowledged).await;
    }
    assert_eq!(acknowledged.len(), tasks().len());
    let logs = LogFiles::open(folder.path()).expect("opens");
    for (task, next) in acknowledged {
        let taken = logs.append(lines(task, next..next + 5)).await.expect("there is space again").next;
        assert_eq!(taken, next + 5);
    }
}

#[tokio::test]
#[ignore = "started by other tests, as a process to be killed"]
async fn take_until_killed() {
    let folder = PathBuf::from(env::var_os(FOLDER).expect("a folder"));
    let logs = LogFiles::open(&folder).expect("opens");
    let mut next: BTreeMap<TaskKey, u64> = BTreeMap::new();
    let mut refused = 0;
    while refused < 40 {
        let appends = tasks().map(|task| {
            let first = next.get(&task).copied().unwrap_or(0);
            let sent = lines(task, first..first + 20);
            let logs = &logs;
            async move { (task, logs.append(sent).await) }
        });
        for (task, answer) in join_all(appends).await {
            match answer {
                Ok(ack) => {
                    next.insert(task, ack.next);
                    writeln!(std::io::stdout().lock(), "durable {task} {}", ack.next).expect("is heard");
                }
                Err(LogError::Unavailable { .. }) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    // Refused many times: what is there can still be read, and is no more than was acknowledged.
    for task in tasks() {
        assert_eq!(check(&all(&logs, task.deployment, 1000).await)[&task], next[&task]);
    }
}
