//! Many seeds on all of the machine's processors.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::{
    planted::Planted,
    run::{Run, run},
};

/// What many runs came to.
#[derive(Debug, Default)]
pub struct Many {
    /// Runs made.
    pub runs: u64,
    /// Runs in which something was that must not be, by seed.
    pub broken: Vec<Run>,
    /// Seconds that went by in all the worlds.
    pub simulated_seconds: f64,
    /// Writes to AWS in all of them.
    pub writes: u64,
}

/// Runs the seeds from `first` on, `count` of them, or until `enough` are broken.
pub fn run_many(first: u64, count: u64, enough: usize, planted: Planted) -> Many {
    let next = AtomicU64::new(first);
    let all = Mutex::new(Many::default());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let lock = || all.lock().unwrap_or_else(PoisonError::into_inner);
                    if seed >= first + count || lock().broken.len() >= enough {
                        return;
                    }
                    let run = run(seed, planted);
                    let mut all = lock();
                    all.runs += 1;
                    all.simulated_seconds += run.simulated.as_secs_f64();
                    all.writes += run.writes;
                    if !run.violations.is_empty() {
                        all.broken.push(run);
                    }
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.broken.sort_by_key(|run| run.seed);
    all
}
