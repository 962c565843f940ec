//! Random worlds: no seed breaks a rule. `SEGUE_SIM_SEEDS` says how many (2,000 if it is not set), `SEGUE_SIM_SEED` one of them,
//! whose full story is printed.

use std::{env, time::Instant};

use simulation::{Planted, run_in_full, run_many};

const SEEDS: u64 = 2_000;
/// So many broken seeds are told; more tell nothing new.
const TOLD: usize = 5;

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

#[test]
fn no_seed_breaks_a_rule() {
    if let Some(seed) = number("SEGUE_SIM_SEED") {
        let run = run_in_full(seed, Planted::Nothing);
        println!("{}", run.story);
        assert!(run.violations.is_empty(), "seed {seed}: {:#?}", run.violations);
        return;
    }
    let (count, began) = (number("SEGUE_SIM_SEEDS").unwrap_or(SEEDS), Instant::now());
    let many = run_many(0, count, TOLD, Planted::Nothing);
    let took = began.elapsed().as_secs_f64();
    println!(
        "{} seeds in {took:.1} s: {:.0} simulated hours ({:.0} times as fast as time), {} writes to AWS",
        many.runs,
        many.simulated_seconds / 3_600.0,
        many.simulated_seconds / took,
        many.writes
    );
    for run in &many.broken {
        println!("seed {}: {:#?}", run.seed, run.violations);
    }
    if let Some(run) = many.broken.first() {
        panic!(
            "seed {seed} breaks a rule: {why}\nIts full story: SEGUE_SIM_SEED={seed} cargo test --release --workspace --test seeds -- --nocapture",
            seed = run.seed,
            why = run.violations.join("; ")
        );
    }
}
