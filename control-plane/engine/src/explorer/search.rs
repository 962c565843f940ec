//! Breadth first through all states, and back from the ends: whatever is reachable is checked, and must be able to end.

use std::collections::{HashMap, VecDeque, hash_map};

use super::{
    checks,
    fingerprint::fingerprint,
    moves::{Move, make, moves},
    world::{Rules, World},
};
use crate::{
    decide::create,
    fixture::{Shape, plan},
    planted,
};

/// Something wrong, with the shortest way to it.
#[derive(Debug)]
pub(super) struct Finding {
    pub wrong: String,
    pub way: Vec<Move>,
}

/// How much was seen.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Seen {
    pub states: usize,
    pub moves: usize,
    /// Succeeded, rolled back, needs operator, aborted.
    pub endings: [usize; 4],
}

#[derive(Clone, Copy)]
struct Origin {
    from: u32,
    made: Option<Move>,
}

/// Every state of a plan of these steps with up to `faults` faults.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn explore(shapes: &[Shape], faults: u8, rules: Rules) -> Result<Seen, Finding> {
    planted::plant(rules.planted);
    let found = search(shapes, faults, rules);
    planted::plant(None);
    found
}

fn search(shapes: &[Shape], faults: u8, rules: Rules) -> Result<Seen, Finding> {
    let events = create(plan(shapes), 0).expect("the fixture's plans are valid");
    let first = World::new(shapes, &events, faults);
    let mut seen = Seen::default();
    let mut known: HashMap<u128, u32> = HashMap::new();
    let mut origins = vec![Origin { from: 0, made: None }];
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let mut ends: Vec<u32> = Vec::new();
    let mut open = VecDeque::new();
    known.insert(fingerprint(&first), 0);
    open.push_back((0_u32, first));

    while let Some((from, world)) = open.pop_front() {
        let finding = |wrong, last| Finding { wrong, way: way(&origins, from, last) };
        checks::check(&world, rules).map_err(|wrong| finding(wrong, None))?;
        if let Some(outcome) = world.deployment.outcome() {
            ends.push(from);
            seen.endings[ending_index(outcome)] += 1;
        }
        let mut later = Vec::new();
        for made in moves(&world, rules) {
            if let Some(after) = make(&world, rules, made).map_err(|wrong| finding(wrong, Some(made)))? {
                later.push((made, after));
            }
        }
        for (made, after) in later {
            seen.moves += 1;
            let new = u32::try_from(origins.len()).expect("fewer states than 2^32");
            let to = match known.entry(fingerprint(&after)) {
                hash_map::Entry::Occupied(entry) => *entry.get(),
                hash_map::Entry::Vacant(entry) => {
                    entry.insert(new);
                    origins.push(Origin { from, made: Some(made) });
                    open.push_back((new, after));
                    new
                }
            };
            edges.push((to, from));
        }
    }
    seen.states = origins.len();
    match stuck(origins.len(), edges, ends) {
        Some(state) => Err(Finding { wrong: "no end can be reached".to_owned(), way: way(&origins, state, None) }),
        None => Ok(seen),
    }
}

fn ending_index(outcome: &domain::outcome::Outcome) -> usize {
    use domain::outcome::Outcome;
    match outcome {
        Outcome::Succeeded => 0,
        Outcome::RolledBack => 1,
        Outcome::NeedsOperator(_) => 2,
        Outcome::Aborted | Outcome::Rejected => 3,
    }
}

/// A state from which no end can be reached. `edges` lead from a state to one that it came from.
fn stuck(states: usize, mut edges: Vec<(u32, u32)>, ends: Vec<u32>) -> Option<u32> {
    edges.sort_unstable();
    let mut ending = vec![false; states];
    let mut open = ends;
    for state in &open {
        ending[*state as usize] = true;
    }
    while let Some(state) = open.pop() {
        let first = edges.partition_point(|(to, _)| *to < state);
        for (_, from) in edges[first..].iter().take_while(|(to, _)| *to == state) {
            if !std::mem::replace(&mut ending[*from as usize], true) {
                open.push(*from);
            }
        }
    }
    ending.iter().position(|reached| !reached).and_then(|state| u32::try_from(state).ok())
}

fn way(origins: &[Origin], to: u32, last: Option<Move>) -> Vec<Move> {
    let mut way: Vec<Move> = last.into_iter().collect();
    let mut state = to;
    while let Origin { from, made: Some(made) } = origins[state as usize] {
        way.push(made);
        state = from;
    }
    way.reverse();
    way
}
