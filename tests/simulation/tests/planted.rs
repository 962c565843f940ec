//! A simulation that finds nothing proves nothing: each mistake that is made on purpose is found within the first 2,000 seeds.

use simulation::{Planted, run, run_many};

const SEEDS: u64 = 2_000;

fn is_found(planted: Planted) {
    let many = run_many(0, SEEDS, 1, planted);
    let found = many.broken.first().unwrap_or_else(|| panic!("{planted:?} is not found within {SEEDS} seeds"));
    let without = run(found.seed, Planted::Nothing);
    assert!(without.violations.is_empty(), "seed {} breaks a rule without it too: {:?}", found.seed, without.violations);
    println!("{planted:?} is found by seed {} after {} runs: {}", found.seed, many.runs, found.violations.join("; "));
}

#[test]
fn a_lease_without_margin() {
    is_found(Planted::LeaseWithoutMargin);
}

#[test]
fn a_report_before_the_flush() {
    is_found(Planted::ReportBeforeFlush);
}

#[test]
fn a_checkpoint_that_is_lost() {
    is_found(Planted::CheckpointLost);
}

#[test]
fn no_look_up_before_a_retry() {
    is_found(Planted::NoLookUp);
}

#[test]
fn a_clock_that_is_trusted_across_hosts() {
    is_found(Planted::ClockTrusted);
}

#[test]
fn a_fence_that_is_not_asked() {
    is_found(Planted::FenceSkipped);
}

#[test]
fn a_client_token_that_is_used_again() {
    is_found(Planted::TokenReused);
}

#[test]
fn a_delegate_that_forgets_to_drain() {
    is_found(Planted::DrainForgotten);
}
