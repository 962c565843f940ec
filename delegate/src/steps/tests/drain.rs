//! Before the old version is brought to 0 its requests are gone, or the drain time has passed.

use std::time::{Duration, Instant};

use super::{
    fake_aws::{FakeAws, World},
    rig::{FAMILY, Rig},
};

/// Swaps while the old version gets so many requests in each period; gives the lines, how long it took, and how often was counted.
async fn swap(old_requests: Option<f64>, drain_ms: u64) -> (Vec<String>, Duration, usize) {
    let mut rig = Rig::new(FakeAws::new(World::with_past(FAMILY)));
    rig.swap.drain_ms = Some(drain_ms);
    *rig.aws.old_requests.lock().expect("no panic") = old_requests;
    for step in 0..2 {
        rig.perform(step).await.output();
    }
    let started = Instant::now();
    let ended = rig.perform(2).await;
    let (took, lines) = (started.elapsed(), ended.lines.clone());
    ended.output();
    assert_eq!(rig.aws.world().services["ecs__blue__green__elb__17"].desired, 0, "{lines:#?}");
    (lines, took, rig.aws.count("GetMetricData"))
}

fn has(lines: &[String], expected: &str) {
    assert!(lines.iter().any(|line| line.contains(expected)), "expected {expected:?} in {lines:#?}");
}

#[tokio::test]
async fn a_minute_without_a_request_ends_the_wait() {
    let (lines, took, counted) = swap(Some(0.0), 60_000).await;
    has(&lines, "CloudWatch counted a minute without a request for ecs__blue__green__elb__17");
    assert!(took < Duration::from_secs(30) && counted >= 1, "{took:?} {counted}");
}

#[tokio::test]
async fn requests_that_do_not_end_are_told_and_waited_for_no_longer_than_the_drain_time() {
    let (lines, took, _) = swap(Some(4.0), 4_000).await;
    has(&lines, "still got 4 requests in a minute");
    has(&lines, "The drain time of 4 s has passed; ecs__blue__green__elb__17 got 4 requests in the last minute counted");
    assert!(took >= Duration::from_secs(4), "{took:?}");
}

#[tokio::test]
async fn without_the_right_to_count_the_drain_time_is_waited_for_whole() {
    let (lines, took, counted) = swap(None, 3_200).await;
    has(&lines, "requests can't be counted: not authorized to perform: cloudwatch:GetMetricData");
    has(&lines, "The drain time of 3.2 s has passed");
    assert!(took >= Duration::from_millis(3_200), "{took:?}");
    assert_eq!(counted, 1);
}
