//! A delegate whose steps do what a test says, and the messages that tests exchange with it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    discovery::{Answer, Query},
    failure::Failure,
    step::{Note, StepAction, StepKind, StepOutput},
    task::{Assignment, TaskKey, TaskReport},
};
use futures::future::BoxFuture;
use proto::{
    convert::document::to_json,
    delegate::{Assign, CheckpointAck, ReportAck, from_delegate::Message as Up, to_delegate::Message as Down},
};
use runtime::{clock::SystemClock, tasks::Tasks};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::gateway::{Conversation, Gateway, in_time};
use crate::{
    agent::Work,
    executor::Hooks,
    program::{self, ProgramError},
    settings::Settings,
};

pub const TASK: &str = "dep_00000000000000000000000000000001/0/perform/1";

/// A control plane, and a folder for a delegate's files.
pub struct World {
    pub gateway: Gateway,
    pub folder: TempDir,
    tasks: Tasks,
}

/// A delegate that runs.
pub struct Running {
    pub stop: CancellationToken,
    end: JoinHandle<Result<(), ProgramError>>,
}

impl Running {
    /// How it ended.
    pub async fn ended(self) -> Result<(), ProgramError> {
        in_time("the delegate's end", self.end).await.expect("does not panic")
    }

    /// Asks it to stop and waits.
    pub async fn stopped(self) {
        self.stop.cancel();
        self.ended().await.expect("ends well");
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with_certificates_for(Duration::from_secs(3_600)).await
    }

    pub async fn with_certificates_for(life: Duration) -> Self {
        let gateway = Gateway::start(life).await;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("authorities.pem"), gateway.memory.authority.certificate_pem()).expect("written");
        Self { gateway, folder, tasks: Tasks::new(CancellationToken::new()) }
    }

    pub fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn settings(&self) -> Settings {
        let arguments = [
            "segue-delegate".into(),
            "--control-plane".into(),
            format!("https://{}", self.gateway.address).into(),
            "--authorities".into(),
            self.folder.path().join("authorities.pem").into_os_string(),
            "--state-dir".into(),
            self.state_dir().into_os_string(),
            "--name".into(),
            "test".into(),
        ];
        Settings { join_token: None, ..Settings::of_arguments(arguments).expect("right") }
    }

    /// A delegate that joins and performs steps like this.
    pub fn joining<F>(&self, perform: F) -> Running
    where
        F: Fn(Assignment, Hooks) -> BoxFuture<'static, TaskReport> + Send + Sync + 'static,
    {
        self.gateway.memory.tokens.lock().expect("whole").push("one-time".into());
        self.run(Settings { join_token: Some("one-time".to_owned().into()), ..self.settings() }, Scripted(Box::new(perform)))
    }

    pub fn run(&self, settings: Settings, work: impl Work) -> Running {
        let stop = CancellationToken::new();
        let (work, stopped) = (Arc::new(work), stop.clone());
        let end = self
            .tasks
            .spawn("delegate", async move { program::run_with(settings, |_| work, Arc::new(SystemClock::new()), stopped).await });
        Running { stop, end }
    }
}

type Script = dyn Fn(Assignment, Hooks) -> BoxFuture<'static, TaskReport> + Send + Sync;

/// Steps that do what the test says.
pub struct Scripted(pub Box<Script>);

impl Scripted {
    /// Steps that reach their goal at once.
    pub fn idle() -> Self {
        Self(Box::new(|_, _| Box::pin(async { done() })))
    }
}

#[async_trait]
impl Work for Scripted {
    fn kinds(&self) -> Vec<StepKind> {
        vec![StepKind::Note]
    }

    async fn perform(&self, assignment: Assignment, hooks: Hooks) -> TaskReport {
        (self.0)(assignment, hooks).await
    }

    async fn answer(&self, query: &Query) -> Result<Answer, Failure> {
        match query.infrastructure.cluster.as_str() {
            "silent" => std::future::pending().await,
            "refused" => Err(Failure::refused(domain::failure::FailureKind::Authorization, "no")),
            cluster => Ok(Answer {
                account: "123456789012".into(),
                identity: cluster.into(),
                region: query.infrastructure.region.clone(),
                vpc: None,
                findings: domain::discovery::Findings::LoadBalancers(Vec::new()),
            }),
        }
    }
}

pub fn done() -> TaskReport {
    TaskReport::Succeeded { output: StepOutput::Nothing }
}

pub fn task(text: &str) -> TaskKey {
    text.parse().expect("a task")
}

pub fn assign(text: &str, timeout_seconds: u64) -> Down {
    let assignment = Assignment {
        task: task(text),
        step_name: "Note".into(),
        action: StepAction::Note(Note { message: "hello".into() }),
        infrastructure: serde_json::from_value(serde_json::json!({"name": "i", "region": "eu-west-1", "cluster": "c"}))
            .expect("right"),
        earlier: Vec::new(),
        checkpoints: Vec::new(),
        timeout_seconds,
        promised_ms: 0,
        resumed: false,
    };
    Down::Assign(Assign { task: text.into(), assignment_json: to_json(&assignment) })
}

pub fn report_ack(text: &str) -> Down {
    Down::ReportAck(ReportAck { task: text.into(), rejection: String::new() })
}

pub fn checkpoint_ack(text: &str, number: u32, rejection: &str) -> Down {
    Down::CheckpointAck(CheckpointAck { task: text.into(), number, rejection: rejection.into() })
}

impl Conversation {
    /// The next message, which must be a report of this task.
    pub async fn report(&mut self, text: &str) -> TaskReport {
        match self.hear().await {
            Up::Report(report) if report.task == text => serde_json::from_str(&report.report_json).expect("a report"),
            other => panic!("a report of {text} was expected, not {other:?}"),
        }
    }

    /// The next message, which must be this checkpoint of this task.
    pub async fn checkpoint(&mut self, text: &str, number: u32) {
        match self.hear().await {
            Up::Checkpoint(checkpoint) => assert_eq!((checkpoint.task.as_str(), checkpoint.number), (text, number)),
            other => panic!("a checkpoint of {text} was expected, not {other:?}"),
        }
    }
}
