//! Prometheus Check: asks a query until its answer kept a bound long enough without a break, or the time is up.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::{PrometheusCheck, PrometheusCheckOutput, StepOutput},
};
use runtime::http::Question;
use tokio::time::Instant;

use super::Step;
use crate::{
    executor::{Outcome, StepContext},
    probes::{NoSamples, Sample, samples},
};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// Samples that a sentence names.
const NAMED: usize = 3;

/// *Prometheus Check*.
pub(super) struct CheckPrometheus<'a> {
    pub(super) input: &'a PrometheusCheck,
}

/// Why one answer is not good, though the next may be.
struct NotGood {
    why: String,
    /// Whether there was no answer at all.
    unanswered: bool,
}

#[async_trait]
impl Step for CheckPrometheus<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        let (input, console) = (self.input, context.console());
        let (hold, within) = (Duration::from_millis(input.hold_ms), Duration::from_millis(input.within_ms));
        let (hold_s, within_s) = (hold.as_secs_f64(), within.as_secs_f64());
        console.info(format!(
            "Asking Prometheus at {} until {:?} is {} for {hold_s} s without a break, {within_s} s at most",
            input.url, input.query, input.bound
        ));
        let started = Instant::now();
        let mut good_since: Option<Instant> = None;
        let mut last: Option<NotGood> = None;
        loop {
            context.go_on()?;
            match self.ask(context).await? {
                Ok(value) => {
                    let kept = good_since.get_or_insert_with(Instant::now).elapsed();
                    let bound = &input.bound;
                    console.info(format!("Good: {value} is {bound}, for {:.1} of {hold_s} s", kept.as_secs_f64()));
                    if kept >= hold {
                        return Ok(StepOutput::PrometheusCheck(PrometheusCheckOutput { value }));
                    }
                }
                Err(reason) => {
                    let broken = if good_since.take().is_some() { "; it has to be good from the beginning again" } else { "" };
                    console.warn(format!("Not good: {}{broken}", reason.why));
                    last = Some(reason);
                }
            }
            if started.elapsed() >= within {
                return Err(self.too_late(good_since.map(|since| since.elapsed()), last.as_ref()).into());
            }
            let held = good_since.map_or(Duration::MAX, |since| hold.saturating_sub(since.elapsed()));
            let pause = Duration::from_millis(input.interval_ms.max(50)).min(held);
            context.pause(pause.min(within.saturating_sub(started.elapsed()))).await?;
        }
    }

    async fn undo(&self, _context: &StepContext) -> Outcome<()> {
        Ok(())
    }
}

impl CheckPrometheus<'_> {
    /// The answer's samples as text if every one keeps the bound.
    ///
    /// # Errors
    /// When no later answer can be better: the query or the access is wrong.
    async fn ask(&self, context: &StepContext) -> Result<Result<String, NotGood>, Failure> {
        let input = self.input;
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("query", &input.query).finish();
        let url = format!("{}/api/v1/query?{query}", input.url.trim_end_matches('/'));
        let question = Question { url: &url, headers: &input.headers, body: None };
        let answer = match context.http().ask(question, ANSWER).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(NotGood { why: error.to_string(), unanswered: true })),
        };
        if matches!(answer.status, 401 | 403) {
            let message = format!("Prometheus at {} refuses the question with status {}.", input.url, answer.status);
            let hint = "Give the check what it needs under headers:, as Authorization: Bearer ${secrets.NAME}.";
            return Err(Failure::refused(FailureKind::Authorization, message).hint(hint));
        }
        let found = match samples(&answer.body) {
            Ok(found) => found,
            Err(error @ (NoSamples::Refused { .. } | NoSamples::Kind(_))) => {
                let message = format!("The query {:?} can't be checked: {error}.", input.query);
                return Err(Failure::refused(FailureKind::Application, message).hint("Try the query in Prometheus's own page."));
            }
            Err(error) => return Ok(Err(NotGood { why: format!("status {}: {error}", answer.status), unanswered: true })),
        };
        Ok(self.judge(&found).map_err(|why| NotGood { why, unanswered: false }))
    }

    fn judge(&self, found: &[Sample]) -> Result<String, String> {
        if found.is_empty() {
            return Err("the query gives no data: nothing matches it now".to_owned());
        }
        let bad: Vec<&Sample> = found.iter().filter(|sample| !self.input.bound.holds(sample.value)).collect();
        if bad.is_empty() {
            return Ok(found.iter().map(|sample| sample.text.as_str()).collect::<Vec<_>>().join(", "));
        }
        let mut named: Vec<String> = bad.iter().take(NAMED).map(|sample| self.told(sample)).collect();
        if bad.len() > NAMED {
            named.push(format!("and {} more of {} samples", bad.len() - NAMED, found.len()));
        }
        Err(named.join("; "))
    }

    fn told(&self, sample: &Sample) -> String {
        let of = if sample.labels.is_empty() { String::new() } else { format!(" of {}", sample.labels) };
        if sample.value.is_nan() {
            return format!("the value{of} is NaN, not a number: something is divided by nothing");
        }
        format!("{}{of} is not {}", sample.text, self.input.bound)
    }

    fn too_late(&self, good_for: Option<Duration>, last: Option<&NotGood>) -> Failure {
        let PrometheusCheck { query, bound, hold_ms, within_ms, .. } = self.input;
        let (hold, within) = (Duration::from_millis(*hold_ms).as_secs_f64(), Duration::from_millis(*within_ms).as_secs_f64());
        let kind = match last {
            Some(NotGood { unanswered: true, .. }) if good_for.is_none() => FailureKind::Connectivity,
            _ => FailureKind::Verification,
        };
        let last = last.map_or_else(String::new, |last| format!(" Last: {}.", last.why));
        let so_far = good_for.map_or_else(String::new, |good| format!(" At the end it was, for {:.1} s.", good.as_secs_f64()));
        let message = format!("{query:?} was not {bound} for {hold} s without a break within {within} s.{last}{so_far}");
        Failure::refused(kind, message).hint("Ask the same query in Prometheus; look at the new version's own logs.")
    }
}
