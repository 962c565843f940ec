//! When two states count as the same: everything that can make a difference later, which the times of events cannot.

use std::hash::{DefaultHasher, Hash, Hasher};

use domain::{outcome::Outcome, signal::Signal, task::Direction};

use super::world::World;
use crate::{
    fixture::LIMIT_SECONDS,
    state::{Asked, AttemptEnd, Course, Stage},
};

/// 128 bits, so that two of some million different states practically never share one.
pub(super) fn fingerprint(world: &World) -> u128 {
    let mut bytes = Vec::with_capacity(160);
    write(world, &mut bytes);
    let half = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        (salt, &bytes).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    (half(0) << 64) | half(1)
}

fn write(world: &World, bytes: &mut Vec<u8>) {
    let deployment = &world.deployment;
    bytes.push(u8::from(deployment.started_at_ms.is_some()) | (u8::from(deployment.rollback.is_some()) << 1));
    bytes.push(match &deployment.turn {
        None => 0,
        Some((Signal::Abort, _)) => 1,
        Some(_) => 2,
    });
    bytes.push(u8::from(deployment.paused.is_some()));
    bytes.push(match deployment.outcome() {
        None => 0,
        Some(Outcome::Succeeded) => 1,
        Some(Outcome::RolledBack) => 2,
        Some(Outcome::NeedsOperator(_)) => 3,
        Some(Outcome::Aborted) => 4,
        Some(Outcome::Rejected) => 5,
    });
    for (step, record) in deployment.steps().iter().enumerate() {
        for direction in [Direction::Perform, Direction::Undo] {
            write_course(record.course(direction), bytes);
        }
        bytes.push(u8::from(world.there[step]));
        bytes.extend(world.acknowledged[step]);
    }
    let mut actors: Vec<_> =
        world.actors.iter().map(|actor| (actor.task, actor.holder.delegate, actor.phase, actor.lease)).collect();
    actors.sort();
    for (task, delegate, phase, lease) in actors {
        let mut hasher = DefaultHasher::new();
        (task, delegate, phase, lease).hash(&mut hasher);
        bytes.extend(hasher.finish().to_le_bytes());
    }
    bytes.push(world.faults);
    bytes.push(u8::from(world.undo_troubled));
}

fn write_course(course: &Course, bytes: &mut Vec<u8>) {
    let small = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
    bytes.push(match &course.stage {
        Stage::Pending => 0,
        Stage::Ready => 1,
        Stage::Held => 2,
        Stage::Failed(failure) => 3 + u8::from(failure.transient),
        Stage::Retrying { .. } => 5,
        Stage::Succeeded { .. } => 6,
        Stage::GivenUp { failure, .. } => 7 + 2 * failure.kind as u8,
        Stage::Passed { .. } => 8,
    });
    let too_late = course.limit_from_ms.map(|at_ms| at_ms + i64::try_from(LIMIT_SECONDS).unwrap_or(0) * 1_000);
    bytes.push(small(course.attempts.len()));
    for attempt in &course.attempts {
        let (end, late) = match &attempt.ended {
            None => (0, false),
            Some((AttemptEnd::Succeeded, _)) => (1, false),
            Some((AttemptEnd::Failed(failure), at_ms)) => (2 + u8::from(failure.transient), Some(*at_ms) >= too_late),
            Some((AttemptEnd::Lost(why), _)) => (4 + *why as u8, false),
        };
        bytes.extend([end, u8::from(late), small(attempt.first_checkpoint)]);
    }
    bytes.push(small(course.checkpoints.len()));
    bytes.push(u8::try_from(course.retries).unwrap_or(u8::MAX));
    bytes.push(u8::try_from(course.lost).unwrap_or(u8::MAX));
    bytes.push(u8::from(course.limit_passed));
    bytes.push(match course.asked {
        Asked::No => 0,
        Asked::Until(_) => 1,
        Asked::InVain => 2,
    });
    // Who approved first makes no difference, but who did does.
    let mut approved_by: Vec<&str> = course.approved_by.iter().map(String::as_str).collect();
    approved_by.sort_unstable();
    bytes.push(small(approved_by.len()));
    bytes.extend(approved_by.iter().flat_map(|name| name.bytes()));
    bytes.push(u8::from(course.rejected.is_some()));
}
