//! Running the script: refused where it is not allowed, never run a second time by itself, stopped with everything it started.

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::{Checkpoint, ShellScript, StepOutput},
};
use tokio::{process::Command, time::Instant};

use super::{
    facts::facts,
    group::Group,
    output::{Kept, copy},
};
use crate::{
    aws::budget::Operation,
    executor::{Halt, Outcome, Repeat, StepContext},
    steps::Step,
};

/// How long what a script left running may hold its output after the script ended.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often a script that runs is looked at for reasons to stop it.
const LOOK: Duration = Duration::from_millis(100);
/// Where programs are found if the delegate itself has no PATH.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// *Shell Script*.
pub(in crate::steps) struct RunScript<'a> {
    pub(in crate::steps) input: &'a ShellScript,
}

#[async_trait]
impl Step for RunScript<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        if !context.allows_shell_scripts() {
            let message = "This delegate does not run shell scripts.";
            let hint = "Start the delegate with --allow-shell-scripts (SEGUE_ALLOW_SHELL_SCRIPTS=true), and with a policy that does \
                        not say otherwise, where whoever may change \
                        workflows may also run programs on its machine.";
            return Err(Failure::refused(FailureKind::Policy, message).hint(hint).into());
        }
        self.look_back(context).await?;
        let ended = match context.checkpoint(Checkpoint::ScriptStarted).await {
            Ok(()) => self.run(context).await,
            Err(halt) => Err(halt),
        };
        // However it came about, nothing of it runs now. A reason to stop that came meanwhile does not change how it ended.
        let _ = context.checkpoint(Checkpoint::ScriptEnded).await;
        ended.map(|()| StepOutput::Nothing)
    }

    async fn undo(&self, _context: &StepContext) -> Outcome<()> {
        Ok(())
    }
}

impl RunScript<'_> {
    /// A run before this one of which nobody knows how far it came.
    async fn look_back(&self, context: &StepContext) -> Outcome<()> {
        let script = |fact: &&Checkpoint| matches!(fact, Checkpoint::ScriptStarted | Checkpoint::ScriptEnded);
        if !matches!(context.checkpoints().iter().rev().find(script), Some(Checkpoint::ScriptStarted)) {
            return Ok(());
        }
        if self.input.idempotent {
            context.console().warn("The script was cut off before; it is idempotent and runs again.");
            return Ok(());
        }
        // Told once: who tries it again after this wants it run again.
        context.checkpoint(Checkpoint::ScriptEnded).await?;
        let message =
            "The script was cut off with the delegate that ran it; how far it came is not known, so it is not run again.";
        let hint = "Look at what it did. Write idempotent: true for a script that may simply run again.";
        Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into())
    }

    async fn run(&self, context: &StepContext) -> Outcome<()> {
        let broken = |what: &str, error: &std::io::Error| {
            Failure::refused(FailureKind::Application, format!("The script could not be started: {what}: {error}."))
        };
        let directory =
            tempfile::Builder::new().prefix("segue-script-").tempdir().map_err(|error| broken("no directory", &error))?;
        let (file, work) = (directory.path().join("script"), directory.path().join("work"));
        let prepared = async {
            tokio::fs::write(&file, &self.input.script).await?;
            tokio::fs::create_dir(&work).await
        };
        prepared.await.map_err(|error| broken("its directory can't be written", &error))?;
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-euo", "pipefail"]).arg(&file).current_dir(&work);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_else(|| PATH.into()));
        command.env("HOME", &work).env("TMPDIR", &work).env("LANG", "C.UTF-8");
        command.envs(facts(context.assignment())).envs(&self.input.env);

        let limit = Duration::from_millis(self.input.timeout_ms);
        context.console().info(format!("Running the script, {} s at most", limit.as_secs_f64()));
        let started = Instant::now();
        // A write as far as the lease and the effect go: what it changes is not known here.
        let start = || {
            let started = Group::start(&mut command).map_err(|error| broken("bash", &error));
            async move { started }
        };
        let mut group = context.write(Operation::Unlimited, Repeat::Harmful, start).await?;
        let status = self.watch(&mut group, context, started + limit).await?;
        judge(status, started.elapsed(), context)
    }

    /// Copies what it writes and waits for its end. Whatever ends the waiting, nothing of it runs any more afterwards.
    async fn watch(&self, group: &mut Group, context: &StepContext, until: Instant) -> Outcome<ExitStatus> {
        let (kept, console) = (Kept::default(), context.console());
        let (out, errors) = group.outputs();
        let copying = async { tokio::join!(copy(out, console, &kept, false), copy(errors, console, &kept, true)) };
        tokio::pin!(copying);
        let mut copied = false;
        let mut told_to_leave = false;
        let ended = loop {
            tokio::select! {
                status = group.ended() => {
                    let lost = |error: std::io::Error| Failure::uncertain(FailureKind::Application, format!("The script's end is not known: {error}."));
                    break status.map_err(|error| lost(error).into());
                }
                _ = &mut copying, if !copied => copied = true,
                () = tokio::time::sleep(LOOK) => {}
            }
            match context.go_on() {
                Err(Halt::HandedBack) if !self.input.idempotent => {
                    // Stopped half way it could not go on elsewhere.
                    if !std::mem::replace(&mut told_to_leave, true) {
                        console.warn("The delegate is leaving as soon as this script has ended.");
                    }
                }
                Err(halt) => break Err(halt),
                Ok(()) => {}
            }
            if Instant::now() >= until {
                let seconds = Duration::from_millis(self.input.timeout_ms).as_secs_f64();
                let message =
                    format!("The script had not ended after {seconds} s and was stopped, with everything that it started.");
                break Err(Failure::uncertain(FailureKind::Timeout, message).into());
            }
        };
        group.kill();
        if !copied {
            // What was written before its end is read to the end; whoever keeps the stream open beyond that is not waited for.
            let _ = tokio::time::timeout(LAST_WORDS, copying).await;
        }
        ended
    }
}

fn judge(status: ExitStatus, took: Duration, context: &StepContext) -> Outcome<()> {
    use std::os::unix::process::ExitStatusExt;
    let seconds = took.as_secs_f64();
    if status.success() {
        context.console().info(format!("The script has ended well after {seconds:.1} s"));
        return Ok(());
    }
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("with exit code {code}"),
        (None, Some(signal)) => format!("by signal {signal}"),
        (None, None) => "in a way that is not known".to_owned(),
    };
    let failure = Failure::uncertain(FailureKind::Application, format!("The script ended {how} after {seconds:.1} s."));
    Err(failure.hint("Its last lines stand above.").into())
}
