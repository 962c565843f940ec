//! What must hold in every state of the modelled world.

use domain::{outcome::Outcome, task::Direction};

use super::world::{Rules, World, direction_index};
use crate::{assignment::assignment, fixture::Shape, invariants, state::Stage, view::view};

/// Everything, for one state.
pub(super) fn check(world: &World, rules: Rules) -> Result<(), String> {
    writers(world)?;
    ending(world)?;
    facts_kept(world)?;
    held_task_is_assignable(world)?;
    if rules.planted.is_none() {
        // Where a rule of the engine is broken its own invariants would tell first; the world has to notice by itself.
        invariants::check(&world.deployment).map_err(|breach| breach.to_string())?;
        invariants::replays_to(&world.journal(), &world.deployment).map_err(|breach| breach.to_string())?;
    }
    let shown = view(&world.deployment, None);
    if shown.revision != world.deployment.revision() || shown.steps.len() != world.shapes.len() {
        return Err("the view shows another deployment".to_owned());
    }
    Ok(())
}

/// Who may write holds the task, so there is never a second.
fn writers(world: &World) -> Result<(), String> {
    let held = world.deployment.held().map(|(task, holder, _)| (task, holder));
    for actor in world.actors.iter().filter(|actor| actor.may_write()) {
        if held != Some((actor.task, actor.holder)) {
            return Err(format!("{} may write and does not hold its task", actor.task));
        }
    }
    let writers = world.actors.iter().filter(|actor| actor.may_write()).count();
    if writers > 1 { Err(format!("{writers} attempts may write")) } else { Ok(()) }
}

/// The outcome says how AWS stands.
fn ending(world: &World) -> Result<(), String> {
    let Some(outcome) = world.deployment.outcome() else { return Ok(()) };
    let changes = || (0..world.shapes.len()).filter(|step| world.shapes[*step].changes());
    let given_up = |step: usize| matches!(world.deployment.steps()[step].undo.stage, Stage::GivenUp { .. });
    match outcome {
        Outcome::Succeeded => match changes().find(|step| !world.there[*step]) {
            Some(step) => Err(format!("succeeded without the effect of step {step}")),
            None => Ok(()),
        },
        Outcome::RolledBack => match changes().find(|step| world.there[*step]) {
            Some(step) => Err(format!("rolled back with the effect of step {step} left behind")),
            None => Ok(()),
        },
        Outcome::NeedsOperator(remains) if world.deployment.rollback.is_none() => {
            let told = |step: usize| remains.iter().any(|line| line.contains(&format!("step {step}")));
            match changes().find(|step| world.there[*step] && !told(*step)) {
                _ if !world.shapes.contains(&Shape::Stops) => Err("stopped, and no strategy says so".to_owned()),
                Some(step) => Err(format!("the effect of step {step} is left behind and not told")),
                None => Ok(()),
            }
        }
        Outcome::NeedsOperator(_) if !world.undo_troubled => Err("needs an operator though no undo had trouble".to_owned()),
        Outcome::NeedsOperator(_) => match changes().find(|step| world.there[*step] && !given_up(*step)) {
            Some(step) => Err(format!("the effect of step {step} is left behind and not told")),
            None => Ok(()),
        },
        Outcome::Aborted if world.deployment.turn.is_none() && !world.shapes.contains(&Shape::Aborts) => {
            Err("aborted on nobody's word".to_owned())
        }
        Outcome::Aborted => Ok(()),
        Outcome::Rejected => Err("rejected after it was accepted".to_owned()),
    }
}

/// What a delegate was told is durable, is.
fn facts_kept(world: &World) -> Result<(), String> {
    for (step, record) in world.deployment.steps().iter().enumerate() {
        for direction in [Direction::Perform, Direction::Undo] {
            let acknowledged = usize::from(world.acknowledged[step][direction_index(direction)]);
            if record.course(direction).checkpoints.len() < acknowledged {
                return Err(format!("a checkpoint of step {step} ({}) is lost", direction.as_str()));
            }
        }
    }
    Ok(())
}

/// The next attempt gets everything that earlier ones recorded, and is told when there were any.
fn held_task_is_assignable(world: &World) -> Result<(), String> {
    let Some((task, ..)) = world.deployment.held() else { return Ok(()) };
    let assignment = assignment(&world.deployment, task).ok_or_else(|| format!("{task} is held and has no assignment"))?;
    let of = |direction| usize::from(world.acknowledged[task.step as usize][direction_index(direction)]);
    let owed = match task.direction {
        Direction::Perform => of(Direction::Perform),
        Direction::Undo => of(Direction::Perform) + of(Direction::Undo),
    };
    if assignment.checkpoints.len() < owed {
        return Err(format!("{task} gets {} of {owed} checkpoints", assignment.checkpoints.len()));
    }
    if assignment.resumed != (task.direction == Direction::Undo || task.attempt > 1) {
        return Err(format!("{task} is not told whether it was begun before"));
    }
    Ok(())
}
