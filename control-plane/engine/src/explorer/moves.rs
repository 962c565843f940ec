//! What can happen next in the modelled world, and what it leads to.

use domain::{signal::Signal, task::Direction};

use super::world::{Actor, Phase, Rules, Said, World};
use crate::{
    decide::decide,
    event::{Event, Loss},
    fixture::{APPROVERS, LIMIT_SECONDS, checkpoint, holder},
    follow_up::follow_up,
    input::Input,
    next::{HeldTask, Hold, Next, Timer, TimerId, WantedTask, next},
    rejection::Rejection,
};

/// One thing that happens. `tear`: the control plane dies when that many events of the batch are durable (0: all are, and it
/// goes on).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    Start {
        tear: usize,
    },
    Claim {
        tear: usize,
    },
    /// Broken rule: a delegate is sent a task whose claim then is lost with the control plane.
    DispatchUnflushed,
    /// The delegate gets the task that it holds: at once, or again by a control plane that was started anew.
    Dispatch,
    /// The delegate dies before it gets the task.
    LostUndelivered,
    Look {
        actor: usize,
    },
    LookFails {
        actor: usize,
        transient: bool,
    },
    Record {
        actor: usize,
        answered: bool,
    },
    Write {
        actor: usize,
    },
    /// The write fails, after or without taking effect.
    WriteFails {
        actor: usize,
        transient: bool,
        takes_effect: bool,
    },
    Report {
        actor: usize,
        answered: bool,
        tear: usize,
    },
    /// The report comes when the step's time is over.
    ReportLate {
        actor: usize,
    },
    /// The delegate drains.
    HandBack {
        actor: usize,
    },
    /// The delegate obeys a cancel.
    Stop {
        actor: usize,
        said: Said,
    },
    /// The delegate dies or is cut off, and its lease ends. A call on its way may take effect.
    CutOff {
        actor: usize,
        takes_effect: bool,
    },
    /// It is back before its task was handed on.
    Reconnect {
        actor: usize,
    },
    TaskLost {
        actor: usize,
        tear: usize,
    },
    /// A delegate that lost its task talks about it.
    Late {
        actor: usize,
    },
    Timer {
        id: TimerId,
        due_ms: i64,
        tear: usize,
    },
    Signal {
        signal: Signal,
        tear: usize,
    },
    /// A person answers the approval that waits.
    Answer {
        who: &'static str,
        signal: Signal,
        step: u32,
        tear: usize,
    },
}

/// More events than any batch has.
const LONGEST_BATCH: usize = 6;

/// Everything that can happen in `world`.
pub(super) fn moves(world: &World, rules: Rules) -> Vec<Move> {
    let mut moves = Vec::new();
    let may_fail = world.faults > 0;
    let tears = if may_fail { 0..LONGEST_BATCH } else { 0..1 };
    match next(&world.deployment) {
        Next::Finished(_) if may_fail && world.deployment.is_reopenable() => {
            moves.push(Move::Signal { signal: Signal::Retry, tear: 0 });
        }
        Next::Finished(_) => {}
        Next::Queued => {
            moves.extend(tears.clone().map(|tear| Move::Start { tear }));
            moves.extend(signals(may_fail));
        }
        Next::Outstanding { wanted, held, cancel, timers, hold } => {
            if wanted.is_some() {
                moves.extend(tears.clone().map(|tear| Move::Claim { tear }));
                if may_fail && !rules.flush_before_dispatch {
                    moves.push(Move::DispatchUnflushed);
                }
            }
            if held.is_some_and(|held| actor_of(world, held).is_none()) {
                moves.push(Move::Dispatch);
                if may_fail {
                    moves.push(Move::LostUndelivered);
                }
            }
            if let Some(actor) =
                cancel.and_then(|task| world.actors.iter().position(|actor| actor.task == task && actor.may_write()))
            {
                moves.push(Move::Stop { actor, said: Said::HandedBack });
                moves.push(Move::Stop { actor, said: Said::Failed { transient: false, may_have_happened: false } });
            }
            for Timer { id, due_ms } in timers {
                // That a limit passes is one of the things that go wrong; the others are the ordinary course of things.
                if may_fail || !matches!(id, TimerId::Limit { .. }) {
                    moves.extend(tears.clone().map(|tear| Move::Timer { id, due_ms, tear }));
                }
            }
            moves.extend(signals(may_fail));
            moves.extend(answers(hold.as_ref(), may_fail));
            if let Some(Hold::Approval { step, .. }) = hold {
                moves.extend(approvals(step, may_fail));
            }
        }
    }
    for (index, actor) in world.actors.iter().enumerate() {
        of_actor(world, rules, index, actor, &mut moves);
    }
    moves
}

/// What a person says to a deployment that waits for it. Going on after a pause costs nothing: somebody will.
fn answers(hold: Option<&Hold>, may_fail: bool) -> impl Iterator<Item = Move> {
    let all: &[Signal] = match hold {
        Some(Hold::Paused { .. }) => &[Signal::Resume],
        Some(Hold::Asked { .. }) if may_fail => &[Signal::Retry, Signal::Ignore, Signal::Succeed],
        Some(Hold::Approval { .. }) | None if may_fail => &[Signal::Pause, Signal::Retry, Signal::Resume],
        Some(Hold::Asked { .. } | Hold::Approval { .. }) | None => &[],
    };
    all.iter().map(|signal| Move::Signal { signal: *signal, tear: 0 })
}

/// What people say to an approval. A yes costs nothing: somebody will. That one comes twice, or from a stranger, changes nothing.
fn approvals(step: u32, may_fail: bool) -> impl Iterator<Item = Move> {
    let yes = APPROVERS.into_iter().flat_map(move |who| {
        let tears = if may_fail { 0..LONGEST_BATCH } else { 0..1 };
        tears.map(move |tear| Move::Answer { who, signal: Signal::Approve, step, tear })
    });
    let no = [0, 1, 2].map(|tear| Move::Answer { who: APPROVERS[0], signal: Signal::Reject, step, tear });
    yes.chain(no.into_iter().filter(move |_| may_fail))
}

fn signals(may_fail: bool) -> impl Iterator<Item = Move> {
    [Signal::Abort, Signal::RollBack]
        .into_iter()
        .flat_map(|signal| [0, 1].map(|tear| Move::Signal { signal, tear }))
        .filter(move |_| may_fail)
}

fn actor_of(world: &World, held: HeldTask) -> Option<usize> {
    world.actors.iter().position(|actor| actor.task == held.task && actor.holder == held.holder)
}

fn is_held(world: &World, actor: &Actor) -> bool {
    world.deployment.held().is_some_and(|(task, holder, _)| task == actor.task && holder == actor.holder)
}

fn of_actor(world: &World, rules: Rules, index: usize, actor: &Actor, moves: &mut Vec<Move>) {
    let (actor_index, may_fail) = (index, world.faults > 0);
    let tears = if may_fail { 0..LONGEST_BATCH } else { 0..1 };
    if !actor.lease {
        if is_held(world, actor) {
            moves.push(Move::Reconnect { actor: index });
            moves.extend(tears.map(|tear| Move::TaskLost { actor: actor_index, tear }));
        } else {
            moves.push(Move::Late { actor: index });
        }
        return;
    }
    match actor.phase {
        Phase::Looking => {
            moves.push(Move::Look { actor: index });
            if may_fail {
                moves.extend([true, false].map(|transient| Move::LookFails { actor: index, transient }));
            }
        }
        Phase::Recording => {
            moves.push(Move::Record { actor: index, answered: true });
            if may_fail {
                moves.push(Move::Record { actor: index, answered: false });
            }
        }
        Phase::Writing => {
            moves.push(Move::Write { actor: index });
            if may_fail {
                for transient in [true, false] {
                    moves.extend([true, false].map(|takes_effect| Move::WriteFails { actor: index, transient, takes_effect }));
                }
                moves.push(Move::CutOff { actor: index, takes_effect: true });
            }
        }
        Phase::Done(said) => {
            moves.extend(tears.map(|tear| Move::Report { actor: actor_index, answered: true, tear }));
            if may_fail {
                moves.push(Move::Report { actor: index, answered: false, tear: 0 });
                if matches!(said, Said::Failed { transient: true, .. }) {
                    moves.push(Move::ReportLate { actor: index });
                }
            }
        }
    }
    if may_fail {
        moves.push(Move::CutOff { actor: index, takes_effect: false });
        if !matches!(actor.phase, Phase::Done(_)) {
            moves.push(Move::HandBack { actor: index });
        }
        if !rules.wait_for_lease && is_held(world, actor) {
            moves.push(Move::TaskLost { actor: index, tear: 0 });
        }
    }
}

/// The world after a move; none when the move turns out to be another's twin.
///
/// # Errors
/// What the move showed to be wrong.
pub(super) fn make(world: &World, rules: Rules, made: Move) -> Result<Option<World>, String> {
    let mut after = world.clone();
    let (wanted, held) = match next(&world.deployment) {
        Next::Outstanding { wanted, held, cancel: _, timers: _, hold: _ } => (wanted, held),
        Next::Queued | Next::Finished(_) => (None, None),
    };
    let possible = match made {
        Move::Start { tear } => send(&mut after, &Input::Start, 0, tear)?,
        Move::Claim { tear } => {
            let WantedTask { task, .. } = wanted.ok_or("no task is wanted")?;
            send(&mut after, &Input::Claim { task, holder: holder(1) }, 0, tear)?
        }
        Move::DispatchUnflushed => {
            let WantedTask { task, .. } = wanted.ok_or("no task is wanted")?;
            after.fault(None);
            after.actors.push(Actor { task, holder: holder(2), phase: Phase::Looking, lease: true });
            true
        }
        Move::Dispatch => {
            let HeldTask { task, holder, .. } = held.ok_or("no task is held")?;
            after.actors.push(Actor { task, holder, phase: Phase::Looking, lease: true });
            true
        }
        Move::LostUndelivered => {
            let HeldTask { task, .. } = held.ok_or("no task is held")?;
            after.fault(Some(task.direction));
            send(&mut after, &Input::TaskLost { task, why: Loss::Disowned }, 0, 0)?
        }
        Move::Timer { id, due_ms, tear } => {
            if let TimerId::Limit { direction, .. } = id {
                after.fault(Some(direction));
            }
            (tear == 0 || after.faults > 0) && send(&mut after, &Input::TimerFired(id), due_ms, tear)?
        }
        Move::Signal { signal, tear } => {
            if signal != Signal::Resume {
                after.fault(None);
            }
            let input = Input::Signal { who: "bob".to_owned(), signal, step: None, comment: None };
            match tear {
                // It may be refused: an abort is final.
                0 => send_late(&mut after, &input)?,
                _ => after.faults > 0 && send(&mut after, &input, 0, tear)?,
            }
        }
        Move::Answer { who, signal, step, tear } => {
            if signal == Signal::Reject {
                after.fault(None);
            }
            let input = Input::Signal { who: who.to_owned(), signal, step: Some(step), comment: None };
            match tear {
                0 => send_late(&mut after, &input)?,
                _ => after.faults > 0 && send_answer(&mut after, &input, tear)?,
            }
        }
        Move::Look { actor }
        | Move::LookFails { actor, .. }
        | Move::Record { actor, .. }
        | Move::Write { actor }
        | Move::WriteFails { actor, .. }
        | Move::Report { actor, .. }
        | Move::ReportLate { actor }
        | Move::HandBack { actor }
        | Move::Stop { actor, .. }
        | Move::CutOff { actor, .. }
        | Move::Reconnect { actor }
        | Move::TaskLost { actor, .. }
        | Move::Late { actor } => by_actor(&mut after, rules, actor, made)?,
    };
    Ok(possible.then_some(after))
}

fn by_actor(after: &mut World, rules: Rules, index: usize, made: Move) -> Result<bool, String> {
    let Actor { task, holder, phase, .. } = after.actors[index];
    let direction = Some(task.direction);
    match made {
        Move::Look { .. } => {
            let nothing_to_do = !after.shape(task).changes() || (rules.look_up_first && after.is_done(task));
            after.actors[index].phase = if nothing_to_do { Phase::Done(Said::Succeeded) } else { Phase::Recording };
        }
        Move::LookFails { transient, .. } => {
            after.fault(direction);
            after.actors[index].phase = Phase::Done(Said::Failed { transient, may_have_happened: false });
        }
        Move::Record { answered, .. } => {
            let recorded = Input::Checkpoint { task, holder, number: 0, checkpoint: checkpoint(&task.to_string()) };
            let accepted = send_late(after, &recorded)?;
            if !answered {
                after.fault(direction);
            } else if accepted {
                *after.acknowledged_mut(task) += 1;
                after.actors[index].phase = Phase::Writing;
            } else {
                // Whoever is told that the task is not its own stops.
                after.actors.remove(index);
            }
        }
        Move::Write { .. } => {
            after.write(task)?;
            after.actors[index].phase = Phase::Done(Said::Succeeded);
        }
        Move::WriteFails { transient, takes_effect, .. } => {
            after.fault(direction);
            if takes_effect {
                after.write(task)?;
            }
            after.actors[index].phase = Phase::Done(Said::Failed { transient, may_have_happened: takes_effect });
        }
        Move::Report { answered, tear, .. } => {
            let Phase::Done(said) = phase else { return Err("reports before it is done".to_owned()) };
            let input = Input::Report { task, holder, report: said.report() };
            if tear > 0 {
                return Ok(is_held(after, &after.actors[index]) && send(after, &input, 0, tear)?);
            }
            send_late(after, &input)?;
            if answered {
                after.actors.remove(index);
            } else {
                after.fault(direction);
            }
        }
        Move::ReportLate { .. } => {
            let Phase::Done(said) = phase else { return Err("reports before it is done".to_owned()) };
            let opened = after.deployment.course(task.step, task.direction).and_then(|course| course.opened_at_ms);
            let now_ms = opened.unwrap_or(0) + i64::try_from(LIMIT_SECONDS).unwrap_or(0) * 1_000;
            after.fault(direction);
            let input = Input::Report { task, holder, report: said.report() };
            if !is_held(after, &after.actors[index]) || !send(after, &input, now_ms, 0)? {
                return Ok(false);
            }
            after.actors.remove(index);
        }
        Move::HandBack { .. } => {
            after.fault(direction);
            after.actors[index].phase = Phase::Done(Said::HandedBack);
        }
        Move::Stop { said, .. } => {
            after.undo_troubled |= task.direction == Direction::Undo;
            after.actors[index].phase = Phase::Done(said);
        }
        Move::CutOff { takes_effect, .. } => {
            after.fault(direction);
            if takes_effect {
                after.write(task)?;
                after.actors[index].phase = Phase::Done(Said::Succeeded);
            }
            after.actors[index].lease = false;
        }
        Move::Reconnect { .. } => after.actors[index].lease = true,
        Move::TaskLost { tear, .. } => {
            if after.actors[index].lease {
                // Only where the rule is broken that the lease must have ended.
                after.fault(direction);
            }
            return send(after, &Input::TaskLost { task, why: Loss::LeaseEnded }, 0, tear);
        }
        Move::Late { .. } => {
            let input = match phase {
                Phase::Recording => Input::Checkpoint { task, holder, number: 0, checkpoint: checkpoint(&task.to_string()) },
                Phase::Done(said) => Input::Report { task, holder, report: said.report() },
                Phase::Looking | Phase::Writing => Input::Report { task, holder, report: Said::HandedBack.report() },
            };
            let before = after.deployment.revision();
            // Whatever comes first after a torn batch brings the rest of it.
            let whole = follow_up(&after.deployment, 0).is_none();
            send_late(after, &input)?;
            if rules.planted.is_none() && whole && after.deployment.revision() != before {
                return Err(format!("a late message about {task} changed something"));
            }
            after.actors.remove(index);
        }
        Move::Start { .. }
        | Move::Claim { .. }
        | Move::DispatchUnflushed
        | Move::Dispatch
        | Move::LostUndelivered
        | Move::Timer { .. }
        | Move::Signal { .. }
        | Move::Answer { .. } => return Err(format!("{made:?} is not an actor's")),
    }
    Ok(true)
}

/// Hands an input to the engine, which must take it. With a tear only the first events become durable.
fn send(world: &mut World, input: &Input, now_ms: i64, tear: usize) -> Result<bool, String> {
    let events = match decide(&world.deployment, input, now_ms) {
        Ok(events) => events,
        Err(Rejection::Aborting | Rejection::Finished { .. }) => return Ok(false),
        Err(rejection) => return Err(format!("{input:?} is refused: {rejection}")),
    };
    if tear > 0 {
        if tear >= events.len() {
            return Ok(false);
        }
        world.fault(None);
        world.append(&events[..tear])?;
        return Ok(true);
    }
    world.append(&events)?;
    repeat(world, input, now_ms)?;
    Ok(true)
}

/// Hands an answer to the engine of which only the first events become durable.
fn send_answer(world: &mut World, input: &Input, tear: usize) -> Result<bool, String> {
    if decide(&world.deployment, input, 0).is_err() { Ok(false) } else { send(world, input, 0, tear) }
}

/// Hands an input to the engine, which may refuse it. Whether it was taken.
fn send_late(world: &mut World, input: &Input) -> Result<bool, String> {
    let Ok(events) = decide(&world.deployment, input, 0) else { return Ok(false) };
    world.append(&events)?;
    repeat(world, input, 0)?;
    Ok(true)
}

/// Whatever comes a second time changes nothing.
fn repeat(world: &World, input: &Input, now_ms: i64) -> Result<(), String> {
    match decide(&world.deployment, input, now_ms) {
        Ok(events) if !events.is_empty() => {
            let names: Vec<&str> = events.iter().map(Event::name).collect();
            Err(format!("{input:?} a second time leads to {names:?}"))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}
