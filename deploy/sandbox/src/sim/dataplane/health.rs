//! Health checks: real questions to real targets, as each target group's settings say. One good answer makes a new target healthy.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::tasks::socket;
use crate::sim::{
    elbv2::{Target, TargetState},
    simulator::World,
};

/// One question.
struct Question {
    region: (String, String),
    group: String,
    target: (Ipv4Addr, u16),
    port: u16,
    /// The path that is asked for; none: a connection is enough.
    path: Option<String>,
    matcher: String,
    limit: Duration,
    healthy: i32,
    unhealthy: i32,
    interval: f64,
}

/// What came of it.
enum Verdict {
    Good,
    Status(u16),
    TimedOut,
    Refused,
}

/// Questions under way.
#[derive(Default)]
pub struct HealthChecks {
    asking: JoinSet<()>,
}

impl HealthChecks {
    /// Asks every target whose turn it is.
    pub fn ask(&mut self, world: &Arc<World>) {
        while self.asking.try_join_next().is_some() {}
        for question in due(world) {
            let world = Arc::clone(world);
            self.asking.spawn(async move {
                let verdict = ask(&question).await;
                note(&world, &question, &verdict);
            });
        }
    }
}

fn due(world: &World) -> Vec<Question> {
    let now = world.clock.now();
    let mut state = world.state();
    let mut questions = Vec::new();
    for (region, (_, elb)) in &mut state.regions {
        // A group that no listener leads to is not checked.
        let in_use: Vec<String> =
            elb.target_groups.keys().filter(|arn| !elb.load_balancers_of(arn).is_empty()).cloned().collect();
        for arn in in_use {
            let Some(group) = elb.target_groups.get_mut(&arn) else { continue };
            let shape = &group.shape;
            let interval = f64::from(shape.health_check_interval_seconds.unwrap_or(30));
            for (target, entry) in &mut group.targets {
                if entry.asking || now < entry.next_check || matches!(entry.state, TargetState::Draining(_)) {
                    continue;
                }
                entry.asking = true;
                let by_http = shape.health_check_protocol.as_deref() != Some("TCP");
                let timeout = f64::from(shape.health_check_timeout_seconds.unwrap_or(5));
                let port = shape.health_check_port.as_deref().and_then(|port| port.parse().ok()).unwrap_or(target.1);
                questions.push(Question {
                    region: region.clone(),
                    group: arn.clone(),
                    target: *target,
                    port,
                    path: by_http.then(|| shape.health_check_path.clone().unwrap_or_else(|| "/".to_owned())),
                    matcher: shape.matcher.as_ref().and_then(|m| m.http_code.clone()).unwrap_or_else(|| "200".to_owned()),
                    // Never so short that a busy machine makes a healthy target look sick.
                    limit: world.clock.real(timeout).max(Duration::from_millis(1_000)),
                    healthy: shape.healthy_threshold_count.unwrap_or(5),
                    unhealthy: shape.unhealthy_threshold_count.unwrap_or(2),
                    interval,
                });
            }
        }
    }
    questions
}

async fn ask(question: &Question) -> Verdict {
    let exchange = async {
        let address = socket(question.target.0, question.port);
        let stream = tokio::net::TcpStream::connect(address).await.ok()?;
        let Some(path) = &question.path else { return Some(None) };
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await.ok()?;
        let mut driving = JoinSet::new();
        driving.spawn(connection);
        let request = Request::get(path)
            .header("host", address.to_string())
            .header("user-agent", "ELB-HealthChecker/2.0")
            .header("connection", "close")
            .body(Empty::new())
            .ok()?;
        Some(Some(sender.send_request(request).await.ok()?.status().as_u16()))
    };
    match tokio::time::timeout(question.limit, exchange).await {
        Err(_) => Verdict::TimedOut,
        Ok(None) => Verdict::Refused,
        Ok(Some(None)) => Verdict::Good,
        Ok(Some(Some(status))) if accepts(&question.matcher, status) => Verdict::Good,
        Ok(Some(Some(status))) => Verdict::Status(status),
    }
}

/// `200`, `200,202` or `200-299`.
fn accepts(matcher: &str, status: u16) -> bool {
    matcher.split(',').any(|part| match part.split_once('-') {
        Some((low, high)) => {
            low.trim().parse().is_ok_and(|low: u16| status >= low) && high.trim().parse().is_ok_and(|high: u16| status <= high)
        }
        None => part.trim().parse() == Ok(status),
    })
}

fn note(world: &World, question: &Question, verdict: &Verdict) {
    let now = world.clock.now();
    let mut state = world.state();
    let Some((_, elb)) = state.regions.get_mut(&question.region) else { return };
    let Some(group) = elb.target_groups.get_mut(&question.group) else { return };
    let Some(target) = group.targets.get_mut(&question.target) else { return };
    target.asking = false;
    target.next_check = now + question.interval;
    if !matches!(target.state, TargetState::Draining(_)) {
        judge(target, verdict, question.healthy, question.unhealthy);
    }
}

fn judge(target: &mut Target, verdict: &Verdict, healthy: i32, unhealthy: i32) {
    let (reason, description) = match verdict {
        Verdict::Good => {
            target.bad = 0;
            target.good += 1;
            // A new target needs one good answer, one that was unhealthy as many as the group says.
            let enough = matches!(target.state, TargetState::Initial(_)) || target.good >= healthy;
            if enough {
                target.state = TargetState::Healthy;
            }
            return;
        }
        Verdict::Status(status) => ("Target.ResponseCodeMismatch", format!("Health checks failed with these codes: [{status}]")),
        Verdict::TimedOut => ("Target.Timeout", "Request timed out".to_owned()),
        Verdict::Refused => ("Target.FailedHealthChecks", "Health checks failed".to_owned()),
    };
    target.good = 0;
    target.bad += 1;
    if target.bad >= unhealthy {
        target.state = TargetState::Unhealthy { reason, description };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_is_codes_and_ranges() {
        assert!(accepts("200", 200) && accepts("200,202", 202) && accepts("200-299", 250));
        assert!(!accepts("200", 201) && !accepts("200-299", 300) && !accepts("x", 200));
    }

    #[test]
    fn one_good_answer_makes_a_new_target_healthy_and_thresholds_rule_the_rest() {
        let mut target = Target { state: TargetState::Initial(0.0), next_check: 0.0, good: 0, bad: 0, asking: false };
        judge(&mut target, &Verdict::Refused, 3, 2);
        assert_eq!(target.state, TargetState::Initial(0.0));
        judge(&mut target, &Verdict::Good, 3, 2);
        assert!(target.state.is_healthy());
        judge(&mut target, &Verdict::Status(500), 3, 2);
        assert!(target.state.is_healthy());
        judge(&mut target, &Verdict::Status(500), 3, 2);
        assert!(matches!(&target.state, TargetState::Unhealthy { reason: "Target.ResponseCodeMismatch", .. }));
        for _ in 0..2 {
            judge(&mut target, &Verdict::Good, 3, 2);
            assert!(!target.state.is_healthy());
        }
        judge(&mut target, &Verdict::Good, 3, 2);
        assert!(target.state.is_healthy());
    }
}
