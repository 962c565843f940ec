//! HTTP Check: asks from inside the VPC until enough good answers came in a row, or the time is up.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::{HttpCheck, HttpCheckOutput, HttpTarget, StepOutput},
};
use runtime::http::ProbeAnswer;
use tokio::time::Instant;

use super::{Step, step::setup_of};
use crate::executor::{Outcome, StepContext};

/// *HTTP Check*.
pub(super) struct CheckHttp<'a> {
    pub(super) input: &'a HttpCheck,
}

#[async_trait]
impl Step for CheckHttp<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        if matches!(self.input.target, HttpTarget::SharedProduction(_)) && setup_of(context)?.old.is_none() {
            context.console().info("No older version serves production: there is nothing to ask yet");
            return Ok(StepOutput::Nothing);
        }
        let url = url(&self.input.target, context)?;
        let (input, console) = (self.input, context.console());
        let wanted = input.consecutive.max(1);
        console.info(format!("Asking {url} until {wanted} good answers came in a row"));
        let started = Instant::now();
        let (mut good, mut slowest, mut asked) = (0, 0, 0_u64);
        let mut last = String::from("nothing was answered");
        loop {
            context.go_on()?;
            asked += 1;
            let verdict = match context.http().get(&url, Duration::from_millis(input.max_latency_ms.max(1))).await {
                Ok(answer) => judge(input, &answer).map(|()| answer),
                Err(error) => Err(error.to_string()),
            };
            match verdict {
                Ok(answer) => {
                    let latency = u64::try_from(answer.latency.as_millis()).unwrap_or(u64::MAX);
                    slowest = if good == 0 { latency } else { latency.max(slowest) };
                    good += 1;
                    console.info(format!("{good}/{wanted} good: status {} in {latency} ms", answer.status));
                    if good >= wanted {
                        let output = HttpCheckOutput { url, status: answer.status, slowest_ms: slowest };
                        return Ok(StepOutput::HttpCheck(output));
                    }
                }
                Err(reason) => {
                    // A refusal is said once, not with every question.
                    if reason != last || good > 0 {
                        console.warn(format!("Not good: {reason}"));
                    }
                    last = reason;
                    good = 0;
                }
            }
            let within = Duration::from_millis(input.within_ms);
            if started.elapsed() >= within {
                let message = format!(
                    "{url} did not answer {wanted} times in a row as it must within {} s ({asked} questions). Last: {last}.",
                    within.as_secs_f64()
                );
                let hint = "Look at the new version's own logs; ask the URL from a machine in the VPC.";
                return Err(Failure::refused(FailureKind::Verification, message).hint(hint).into());
            }
            let pause = Duration::from_millis(input.interval_ms.max(50));
            context.pause(pause.min(within.saturating_sub(started.elapsed()))).await?;
        }
    }

    async fn undo(&self, _context: &StepContext) -> Outcome<()> {
        Ok(())
    }
}

fn url(target: &HttpTarget, context: &StepContext) -> Result<String, Failure> {
    let joined = |base: String, path: &str| format!("{base}/{}", path.trim_start_matches('/'));
    Ok(match target {
        HttpTarget::Stage(path) => joined(setup_of(context)?.traffic.stage_url(), path),
        HttpTarget::Production(path) | HttpTarget::SharedProduction(path) => joined(setup_of(context)?.traffic.prod_url(), path),
        HttpTarget::Url(url) => url.clone(),
    })
}

/// Whether an answer is good, or everything that is not.
fn judge(input: &HttpCheck, answer: &ProbeAnswer) -> Result<(), String> {
    let mut wrong = Vec::new();
    let status = answer.status;
    let expected = if input.status.is_empty() { (200..300).contains(&status) } else { input.status.contains(&status) };
    if !expected {
        let wanted: Vec<String> = input.status.iter().map(u16::to_string).collect();
        let wanted = if wanted.is_empty() { "200 to 299".to_owned() } else { wanted.join(" or ") };
        wrong.push(format!("status {status} instead of {wanted}"));
    }
    if let Some(text) = input.body_contains.as_deref().filter(|text| !answer.body.contains(*text)) {
        wrong.push(format!("the body does not contain {text:?}"));
    }
    for (name, value) in &input.headers {
        let values: Vec<_> = answer.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        if values.is_empty() {
            wrong.push(format!("the header {name} is missing"));
        } else if !values.iter().any(|found| found == value) {
            wrong.push(format!("the header {name} is {:?} instead of {value:?}", values.join(", ")));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http::{HeaderMap, HeaderValue};

    use super::*;

    fn check() -> HttpCheck {
        HttpCheck {
            target: HttpTarget::Url("http://127.0.0.1/".into()),
            status: Vec::new(),
            body_contains: Some("ok".into()),
            headers: BTreeMap::from([("X-Version".to_owned(), "2".to_owned())]),
            max_latency_ms: 1_000,
            consecutive: 3,
            interval_ms: 100,
            within_ms: 1_000,
        }
    }

    fn answer(status: u16, version: &'static str, body: &str) -> ProbeAnswer {
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static("x-version"), HeaderValue::from_static(version))]);
        ProbeAnswer { status, headers, body: body.into(), latency: Duration::from_millis(3) }
    }

    #[test]
    fn everything_that_is_wrong_is_said() {
        assert_eq!(judge(&check(), &answer(204, "2", "all ok")), Ok(()));
        assert_eq!(
            judge(&check(), &answer(500, "1", "no")),
            Err("status 500 instead of 200 to 299; the body does not contain \"ok\"; \
                 the header X-Version is \"1\" instead of \"2\""
                .into())
        );
        let strict = HttpCheck { status: vec![200, 202], ..check() };
        assert_eq!(judge(&strict, &answer(204, "2", "ok")), Err("status 204 instead of 200 or 202".into()));
    }
}
