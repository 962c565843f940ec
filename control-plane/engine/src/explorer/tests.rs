//! The explorer's tests: sound rules lead to no wrong state, and each broken one is found.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    search::{Finding, Seen, explore},
    world::Rules,
};
use crate::{
    fixture::Shape::{self, Aborts, Approves, Asks, Changes, Looks, Optional, Stops, Waits},
    planted::Planted,
};

/// Every plan of so many steps.
fn plans(steps: usize) -> Vec<Vec<Shape>> {
    (0..steps).fold(vec![Vec::new()], |shorter, _| {
        shorter.iter().flat_map(|plan| [Changes, Looks, Waits].map(|last| plan.iter().copied().chain([last]).collect())).collect()
    })
}

/// Explores all of them, on as many threads as there are processors.
fn explore_all(plans: &[(Vec<Shape>, u8)], rules: Rules) -> Result<Seen, Finding> {
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let (turn, total) = (AtomicUsize::new(0), Mutex::new(Ok(Seen::default())));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((shapes, faults)) = plans.get(turn.fetch_add(1, Ordering::Relaxed)) {
                    let found = explore(shapes, *faults, rules);
                    let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
                    match (&mut *total, found) {
                        (Ok(sum), Ok(seen)) => {
                            sum.states += seen.states;
                            sum.moves += seen.moves;
                            for (sum, seen) in sum.endings.iter_mut().zip(seen.endings) {
                                *sum += seen;
                            }
                        }
                        (Ok(_), Err(finding)) => {
                            *total = Err(Finding { wrong: format!("{shapes:?}: {}", finding.wrong), ..finding });
                        }
                        (Err(_), _) => {}
                    }
                }
            });
        }
    });
    total.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn no_reachable_state_is_wrong_and_every_one_can_end() {
    // The long ones first, so that no thread is left alone with one.
    let mut all: Vec<(Vec<Shape>, u8)> = vec![(vec![Changes, Changes, Changes], 3)];
    for (steps, faults) in [(4, 1), (3, 2), (2, 3), (1, 3)] {
        all.extend(plans(steps).into_iter().map(|shapes| (shapes, faults)));
    }
    // Failure strategies: what a person may say, alone and between steps that are undone.
    all.extend([(vec![Asks], 4), (vec![Stops], 3), (vec![Optional], 3), (vec![Aborts], 3)]);
    for strategy in [Asks, Stops, Optional, Aborts] {
        all.extend([(vec![Changes, strategy], 3), (vec![strategy, Changes], 3), (vec![Changes, strategy, Looks], 2)]);
    }
    // Approvals: alone, and between steps that are undone when somebody says no.
    all.extend([(vec![Approves], 4), (vec![Approves, Approves], 2), (vec![Changes, Approves], 3)]);
    all.extend([(vec![Approves, Changes], 3), (vec![Changes, Approves, Changes], 2)]);
    match explore_all(&all, Rules::SOUND) {
        Ok(seen) => {
            let [succeeded, rolled_back, needs_operator, aborted] = seen.endings;
            println!(
                "{} plans, {} states, {} moves; endings: {succeeded} succeeded, {rolled_back} rolled back, {needs_operator} need \
                 an operator, {aborted} aborted",
                all.len(),
                seen.states,
                seen.moves
            );
            assert!(seen.endings.iter().all(|endings| *endings > 0), "every ending is reached: {seen:?}");
        }
        Err(finding) => panic!("{}\n{:#?}", finding.wrong, finding.way),
    }
}

/// The finding must come, and say this.
fn must_find(rules: Rules, shapes: &[Shape], faults: u8, what: &str) {
    match explore(shapes, faults, rules) {
        Ok(seen) => panic!("not found in {} states", seen.states),
        Err(finding) => {
            println!("found after {} moves: {}", finding.way.len(), finding.wrong);
            assert!(finding.wrong.contains(what), "found something else: {}\n{:#?}", finding.wrong, finding.way);
        }
    }
}

#[test]
fn undoing_only_what_succeeded_is_found() {
    let rules = Rules { planted: Some(Planted::UndoOnlySucceeded), ..Rules::SOUND };
    must_find(rules, &[Changes], 1, "left behind");
    must_find(rules, &[Changes, Changes], 1, "left behind");
}

#[test]
fn writing_without_looking_up_first_is_found() {
    let rules = Rules { look_up_first: false, ..Rules::SOUND };
    must_find(rules, &[Changes], 1, "writes what was written before");
}

#[test]
fn accepting_a_late_attempts_report_is_found() {
    let rules = Rules { planted: Some(Planted::AcceptStale), ..Rules::SOUND };
    must_find(rules, &[Changes], 1, "may write and does not hold its task");
}

#[test]
fn handing_a_task_on_while_the_lease_runs_is_found() {
    let rules = Rules { wait_for_lease: false, ..Rules::SOUND };
    must_find(rules, &[Changes], 1, "may write and does not hold its task");
}

#[test]
fn sending_a_task_before_its_claim_is_durable_is_found() {
    let rules = Rules { flush_before_dispatch: false, ..Rules::SOUND };
    must_find(rules, &[Changes], 1, "may write and does not hold its task");
}
