//! Shell Script with a real bash: what it is given, how it ends, and that nothing of it is left.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use domain::{
    failure::{Effect, Failure, FailureKind},
    step::{Checkpoint, ShellScript, StepAction},
    task::{Direction, TaskReport},
};

use super::{
    fake_aws::{FakeAws, World},
    rig::{Ended, FAMILY, Rig},
};
use crate::executor::SecretsDirectory;

fn rig() -> Rig {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.shell_scripts = true;
    rig
}

fn script(text: &str) -> ShellScript {
    ShellScript { script: ShellScript::escaped(text), timeout_ms: 30_000, env: BTreeMap::new(), idempotent: false }
}

async fn run(rig: &mut Rig, script: ShellScript) -> Ended {
    rig.attempt_of(StepAction::ShellScript(script), 1, Direction::Perform).await
}

async fn failure(rig: &mut Rig, script: ShellScript) -> Failure {
    run(rig, script).await.failure()
}

#[tokio::test]
async fn it_is_refused_where_the_delegate_was_not_started_for_it() {
    let mut rig = rig();
    rig.shell_scripts = false;
    let failure = failure(&mut rig, script("true")).await;
    assert_eq!((failure.kind, failure.effect), (FailureKind::Policy, Effect::DidNotHappen));
    assert!(failure.hint.is_some_and(|hint| hint.contains("--allow-shell-scripts")));
    assert!(rig.checkpoints[1].is_empty(), "nothing was begun");
}

#[tokio::test]
async fn it_gets_facts_its_own_variables_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("key"), "hunter2-hunter2\n").expect("written");
    let mut rig = rig();
    rig.secrets = SecretsDirectory::new(Some(folder.path().into()));
    rig.perform(0).await.output();
    let text = "pwd | grep -q segue-script- && ls -A | wc -l\nx=here; echo \"${x} $TAG $SEGUE_CLUSTER $SEGUE_DEPLOYMENT\"\n\
                echo \"$SEGUE_OLD_SERVICE -> $SEGUE_SERVICE\"\nenv -i bash -c 'printf \"\\033[31m%s\\n\" \"$0\"' \"$KEY\" >&2\n\
                env | cut -d= -f1 | grep -v SEGUE_ | sort | tr '\\n' ' '";
    let env = [("TAG", "4"), ("KEY", "${secrets.key}")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let ended = run(&mut rig, ShellScript { env: env.into(), ..script(text) }).await;
    let lines = ended.lines.join("\n");
    assert!(!lines.contains("hunter2") && lines.contains("\\u{1b}[31m***"), "{lines}");
    for expected in ["\n0\n", "here 4 docs-ecs dep_", "-> ecs__blue__green__elb__", "HOME KEY LANG", "The script has ended well"]
    {
        assert!(lines.contains(expected), "expected {expected:?} in\n{lines}");
    }
    for foreign in ["CARGO", "USER", "AWS"] {
        assert!(!lines.contains(foreign), "{foreign} in\n{lines}");
    }
    ended.output();
    assert_eq!(rig.checkpoints[1], [Checkpoint::ScriptStarted, Checkpoint::ScriptEnded]);
}

#[tokio::test]
async fn its_exit_code_is_told_and_the_first_error_ends_it() {
    let ended = run(&mut rig(), script("echo one\nfalse | true\necho two")).await;
    assert!(ended.lines.contains(&"one".to_owned()) && !ended.lines.contains(&"two".to_owned()), "{:?}", ended.lines);
    let failure = ended.failure();
    assert!(failure.message.starts_with("The script ended with exit code 1 after"), "{}", failure.message);
    assert_eq!((failure.kind, failure.effect, failure.transient), (FailureKind::Application, Effect::MayHaveHappened, false));
    let failure = self::failure(&mut rig(), script("echo $NOT_SET")).await;
    assert!(failure.message.contains("exit code 1"), "{}", failure.message);
    let failure = self::failure(&mut rig(), script("exit 42")).await;
    assert!(failure.message.contains("exit code 42"), "{}", failure.message);
}

/// Whether a process of that number is there and no zombie.
fn runs(process: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    !status.is_empty() && !status.contains(") Z ")
}

#[tokio::test]
async fn a_time_limit_ends_it_with_everything_that_it_started() {
    let started = Instant::now();
    let text = "sleep 300 & echo \"pid $!\"; (sleep 301; true) & sleep 302";
    let ended = run(&mut rig(), ShellScript { timeout_ms: 1_000, ..script(text) }).await;
    assert!(started.elapsed() < Duration::from_secs(20));
    let process = ended.lines.iter().find_map(|line| line.strip_prefix("pid ")).expect("its number").to_owned();
    let failure = ended.failure();
    assert_eq!((failure.kind, failure.effect), (FailureKind::Timeout, Effect::MayHaveHappened));
    // The kill is asked for; the system takes a moment.
    for _ in 0..100 {
        if !runs(&process) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("process {process} still runs");
}

#[tokio::test]
async fn what_it_leaves_running_is_ended_and_not_waited_for() {
    let started = Instant::now();
    let ended = run(&mut rig(), script("sleep 300 & echo done")).await;
    assert!(ended.lines.contains(&"done".to_owned()), "{:?}", ended.lines);
    ended.output();
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn there_is_an_end_to_what_it_may_write() {
    let ended = run(&mut rig(), script("head -c 4000000 /dev/zero | tr '\\0' x; echo; echo end")).await;
    let bytes: usize = ended.lines.iter().map(String::len).sum();
    assert!(bytes < 1_100_000, "{bytes}");
    let left_out = ended.lines.iter().filter(|line| line.contains("the rest is left out")).count();
    assert_eq!((left_out, ended.lines.contains(&"end".to_owned())), (1, false));
    ended.output();
}

#[tokio::test]
async fn cut_off_it_is_not_run_again_unless_it_may_be_or_a_person_says_so() {
    let mut rig = rig();
    rig.checkpoints[1].push(Checkpoint::ScriptStarted);
    let failure = self::failure(&mut rig, script("echo again")).await;
    assert!(failure.message.contains("cut off") && failure.kind == FailureKind::Application, "{}", failure.message);
    let ended = run(&mut rig, script("echo again")).await;
    assert!(ended.lines.contains(&"again".to_owned()), "who tries it again after that wants it: {:?}", ended.lines);

    let mut rig = self::rig();
    rig.checkpoints[1].push(Checkpoint::ScriptStarted);
    let ended = run(&mut rig, ShellScript { idempotent: true, ..script("echo again") }).await;
    assert!(ended.lines.contains(&"again".to_owned()), "{:?}", ended.lines);
}

#[tokio::test]
async fn a_delegate_that_leaves_before_it_began_leaves_it_to_another() {
    let mut rig = rig();
    rig.drain_after = Some(1);
    let ended = run(&mut rig, script("echo end")).await;
    assert!(matches!(ended.report, TaskReport::HandedBack) && ended.lines.iter().all(|line| line != "end"), "{:?}", ended.lines);
    rig.drain_after = None;
    let ended = run(&mut rig, script("echo end")).await;
    assert!(ended.lines.contains(&"end".to_owned()), "{:?}", ended.lines);
}
