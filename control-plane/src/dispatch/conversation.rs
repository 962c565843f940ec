//! One session with one delegate, from its hello to the end of its stream.
//!
//! Whatever ends the stream without a goodbye means that the delegate was lost; what becomes of its tasks is for its lease to say.

use std::{sync::Arc, time::Duration};

use domain::{
    failure::{Failure, FailureKind},
    ids::{DelegateId, QueryId},
    limits,
    step::Checkpoint,
    task::{TaskKey, TaskReport},
};
use engine::{Holder, Input};
use proto::{
    convert::{
        Malformed,
        document::{from_json, parse},
    },
    delegate::{self, FromDelegate, ToDelegate, from_delegate, query_answer, to_delegate},
};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::{
    dispatcher::Dispatch,
    introduction,
    lease::Renewal,
    message::Reply,
    roster::EnrolledDelegate,
    sessions::{Down, Entered, Session},
};
use crate::access::Enrolment;

/// How long a delegate that has connected may take to say hello.
const HELLO_LIMIT: Duration = Duration::from_secs(10);

/// A session in the making, or made.
pub(super) struct Conversation {
    pub(super) dispatch: Arc<Dispatch>,
    pub(super) enrolment: Arc<Enrolment>,
    /// Serial number of the certificate that the connection was opened with.
    pub(super) certificate: String,
    /// As the certificate says.
    pub(super) delegate: DelegateId,
    pub(super) messages: Streaming<FromDelegate>,
    pub(super) down: Down,
    /// Cancelled when the delegate is revoked.
    pub(super) trusted: CancellationToken,
    /// The server stops.
    pub(super) stop: CancellationToken,
}

/// What can happen to a session.
enum Happening {
    Said(from_delegate::Message),
    /// Something that a newer delegate says and this control plane does not know.
    Unknown,
    /// The stream ended, was reset, or did not answer pings.
    Lost,
    /// The session was closed from this side.
    Closed,
    /// The delegate is no longer trusted.
    Revoked,
    Stopping,
}

/// Whether the session goes on.
enum Verdict {
    GoOn,
    /// It said goodbye.
    Left,
    /// It ends with this status.
    End(Status),
}

impl Conversation {
    /// Holds the session until it ends.
    pub(super) async fn run(mut self) {
        let (session, _entered) = match self.open().await {
            Ok(opened) => opened,
            Err(status) => {
                tracing::info!(delegate = %self.delegate, code = ?status.code(), why = status.message(), "a session was refused");
                self.say_last(status);
                return;
            }
        };
        tracing::info!(delegate = %session.delegate, name = session.name, instance = %session.instance, "a delegate is connected");
        loop {
            let happening = self.next(&session).await;
            match self.decide(&session, happening) {
                Verdict::GoOn => {}
                Verdict::Left => {
                    tracing::info!(delegate = %session.delegate, "a delegate left");
                    self.dispatch.goodbye(&session);
                    return;
                }
                Verdict::End(status) => {
                    tracing::info!(delegate = %session.delegate, why = status.message(), "a delegate's session has ended");
                    self.say_last(status);
                    return;
                }
            }
        }
    }

    /// From the hello to the welcome. The lease is granted first, so that nothing is handed on while the instance's tasks are looked
    /// up; it learns which it has lost with the welcome, before it may use the lease.
    async fn open(&mut self) -> Result<(Arc<Session>, Entered), Status> {
        let first = tokio::time::timeout(HELLO_LIMIT, self.messages.message());
        let Ok(Ok(Some(FromDelegate { message: Some(from_delegate::Message::Hello(hello)) }))) = first.await else {
            return Err(Status::invalid_argument("a session begins with a hello, within 10 s"));
        };
        let enrolled = self.dispatch.roster.get(self.delegate).filter(|enrolled| enrolled.revoked.is_none());
        let enrolled = enrolled.ok_or_else(|| Status::permission_denied("this delegate is not known to the control plane"))?;
        let (introduction, listed) =
            introduction::read(self.delegate, enrolled.name.clone(), hello).map_err(|error| malformed(&error))?;
        let holder = Holder { delegate: self.delegate, instance: introduction.instance };
        if let Some(copied) = self.dispatch.copies.hello(holder.delegate, holder.instance, self.dispatch.clock.now_ms()) {
            let (delegate, instance, other) = (holder.delegate, copied.instance, copied.other);
            tracing::warn!(target: "audit", %delegate, %instance, %other, "two processes use this delegate's certificate in turn: it was copied");
        }
        self.dispatch.leases.grant(holder.instance, holder.delegate, self.dispatch.clock.monotonic());
        let revoked = self.dispatch.not_held(holder, listed.clone()).await;
        let revoked = revoked.map_err(|error| Status::unavailable(error.to_string()))?;
        let terms = self.dispatch.leases.terms();
        let session = Arc::new(Session::new(introduction, self.down.clone(), self.dispatch.clock.now_ms()));
        session.send(to_delegate::Message::Welcome(delegate::Welcome {
            lease_ms: millis(terms.lease),
            heartbeat_ms: millis(terms.heartbeat),
            revoked_tasks: revoked.iter().map(TaskKey::to_string).collect(),
        }));
        let shown = std::mem::take(&mut self.certificate);
        session.shows(shown.clone());
        let entered = self.dispatch.sessions.enter(session.clone());
        // After it was entered: an exchange of the authority that came before is seen here, and a later one finds the session.
        // One that shows an older certificate than its newest was killed before it kept that: it does not know whom to trust now.
        let behind = |known: &EnrolledDelegate| !self.enrolment.is_up_to_date(known) || known.serial != shown;
        if self.dispatch.roster.get(self.delegate).is_some_and(|known| behind(&known)) {
            session.send(to_delegate::Message::Renew(delegate::Renew {}));
        }
        // After it was entered: a claim that still went to the session before is among what the instance holds by now.
        self.dispatch.resend(&session, &listed);
        Ok((session, entered))
    }

    async fn next(&mut self, session: &Session) -> Happening {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Happening::Stopping,
            () = self.trusted.cancelled() => Happening::Revoked,
            () = session.closed().cancelled() => Happening::Closed,
            said = self.messages.message() => match said {
                Ok(Some(FromDelegate { message: Some(message) })) => Happening::Said(message),
                Ok(Some(FromDelegate { message: None })) => Happening::Unknown,
                Ok(None) | Err(_) => Happening::Lost,
            },
        }
    }

    fn decide(&self, session: &Arc<Session>, happening: Happening) -> Verdict {
        let message = match happening {
            Happening::Said(message) => message,
            Happening::Unknown => return Verdict::GoOn,
            Happening::Lost => return Verdict::End(Status::unavailable("the connection was lost")),
            Happening::Closed => return Verdict::End(Status::unavailable("the session was closed: connect again")),
            Happening::Revoked => return Verdict::End(Status::permission_denied("this delegate was revoked")),
            Happening::Stopping => return Verdict::End(Status::unavailable("the control plane is stopping")),
        };
        let heard = match message {
            from_delegate::Message::Heartbeat(heartbeat) => return self.heartbeat(session, &heartbeat),
            from_delegate::Message::Checkpoint(checkpoint) => self.checkpoint(session, checkpoint),
            from_delegate::Message::Report(report) => self.report(session, report),
            from_delegate::Message::QueryAnswer(answer) => self.query_answer(session, answer),
            from_delegate::Message::Goodbye(_) => return Verdict::Left,
            from_delegate::Message::Hello(_) => Err(Malformed::new("hello", "said twice")),
        };
        match heard {
            Ok(()) => Verdict::GoOn,
            Err(error) => Verdict::End(malformed(&error)),
        }
    }

    fn heartbeat(&self, session: &Session, heartbeat: &delegate::Heartbeat) -> Verdict {
        // TLS looked at the connection's certificate once. A delegate renews long before the end, so that this is one that can't or won't.
        let ends_ms = self.dispatch.roster.get(self.delegate).map_or(0, |known| known.certificate_ends_ms);
        if ends_ms <= self.dispatch.clock.now_ms() {
            return Verdict::End(Status::unauthenticated("this delegate's certificate has ended: it has to join again"));
        }
        if self.dispatch.leases.renew(session.instance, self.dispatch.clock.monotonic()) == Renewal::RanOut {
            return Verdict::End(Status::failed_precondition("the lease ran out: say hello again"));
        }
        if !heartbeat.certificate.is_empty() {
            session.shows(heartbeat.certificate.clone());
        }
        if session.seen(heartbeat.draining, self.dispatch.clock.now_ms()) {
            self.dispatch.sessions.announce();
        }
        session.send(to_delegate::Message::HeartbeatAck(delegate::HeartbeatAck { number: heartbeat.number }));
        Verdict::GoOn
    }

    fn checkpoint(&self, session: &Arc<Session>, message: delegate::Checkpoint) -> Result<(), Malformed> {
        let task: TaskKey = parse("task", &message.task)?;
        let number = message.number;
        let read = match message.checkpoint_json.len() {
            ..=limits::CHECKPOINT_BYTES => from_json::<Checkpoint>("checkpoint_json", &message.checkpoint_json),
            bytes => Err(Malformed::new("checkpoint_json", format!("{bytes} bytes; at most {}", limits::CHECKPOINT_BYTES))),
        };
        match read {
            Ok(checkpoint) => {
                let input = Input::Checkpoint { task, holder: holder(session), number, checkpoint };
                self.input(session, task, input, Reply::Checkpoint { session: session.clone(), task, number });
            }
            Err(error) => session.send(to_delegate::Message::CheckpointAck(delegate::CheckpointAck {
                task: message.task,
                number,
                rejection: error.to_string(),
            })),
        }
        Ok(())
    }

    fn report(&self, session: &Arc<Session>, message: delegate::Report) -> Result<(), Malformed> {
        let task: TaskKey = parse("task", &message.task)?;
        let read = match message.report_json.len() {
            ..=limits::CHECKPOINT_BYTES => from_json::<TaskReport>("report_json", &message.report_json),
            bytes => Err(Malformed::new("report_json", format!("{bytes} bytes; at most {}", limits::CHECKPOINT_BYTES))),
        };
        // A task whose end can't be understood has ended all the same: without this it would be held for ever.
        let report = read.unwrap_or_else(|error| TaskReport::Failed {
            failure: Failure::uncertain(FailureKind::Application, format!("The delegate's report is not usable: {error}")),
        });
        let input = Input::Report { task, holder: holder(session), report };
        self.input(session, task, input, Reply::Report { session: session.clone(), task });
        Ok(())
    }

    fn input(&self, session: &Session, task: TaskKey, input: Input, reply: Reply) {
        if let Err(error) = self.dispatch.input(task.deployment, input, reply) {
            tracing::warn!(delegate = %session.delegate, %task, %error, "a delegate's message was not taken: its session is closed");
            session.close();
        }
    }

    fn query_answer(&self, session: &Session, message: delegate::QueryAnswer) -> Result<(), Malformed> {
        let id: QueryId = parse("query_id", &message.query_id)?;
        let read = match message.result {
            Some(query_answer::Result::AnswerJson(json)) => from_json("answer_json", &json).map(Ok),
            Some(query_answer::Result::FailureJson(json)) => from_json("failure_json", &json).map(Err),
            None => Err(Malformed::new("result", "missing")),
        };
        let answer = read.unwrap_or_else(|error| {
            Err(Failure::refused(FailureKind::Application, format!("The delegate's answer is not usable: {error}")))
        });
        self.dispatch.queries.answer(session.delegate, id, answer);
        Ok(())
    }

    /// The stream's last word; if the delegate does not even read that, it is gone.
    fn say_last(&self, status: Status) {
        let last: Result<ToDelegate, Status> = Err(status);
        drop(self.down.try_send(last));
    }
}

fn holder(session: &Session) -> Holder {
    Holder { delegate: session.delegate, instance: session.instance }
}

fn malformed(error: &Malformed) -> Status {
    Status::invalid_argument(error.to_string())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
