//! Inputs in any order: no panic, and the journal always tells the state.

use domain::signal::Signal;
use domain::task::{Direction, TaskKey, TaskReport};
use proptest::prelude::*;

use super::run::{failed, succeeded};
use crate::{
    assignment::assignment,
    decide::{create, decide},
    event::{Event, Loss},
    fixture::{Shape, checkpoint, holder, plan, task},
    input::Input,
    invariants,
    next::TimerId,
    state::Deployment,
    stored::StoredEvent,
    view::view,
};

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    prop::collection::vec(prop_oneof![Just(Shape::Changes), Just(Shape::Looks), Just(Shape::Waits), Just(Shape::Approves)], 1..5)
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![2 => Just(Direction::Perform), 1 => Just(Direction::Undo)]
}

fn any_task() -> impl Strategy<Value = TaskKey> {
    (0_u32..5, direction(), 0_u32..5).prop_map(|(step, direction, attempt)| task(step, direction, attempt))
}

fn timer() -> impl Strategy<Value = TimerId> {
    (0_u32..5, direction(), 0_u8..4).prop_map(|(step, direction, which)| match which {
        0 => TimerId::Settle,
        1 => TimerId::Wait { step },
        2 => TimerId::Retry { step, direction },
        _ => TimerId::Limit { step, direction },
    })
}

fn report() -> impl Strategy<Value = TaskReport> {
    prop_oneof![4 => Just(succeeded()), 2 => any::<bool>().prop_map(failed), 1 => Just(TaskReport::HandedBack)]
}

/// An input; `None` stands for claiming whatever is wanted, and its like, so that runs get somewhere.
#[derive(Debug, Clone)]
enum Given {
    Exactly(Input),
    ClaimWanted(u8),
    ReportHeld(TaskReport),
    CheckpointHeld(u32),
    LoseHeld,
    FireAny,
}

fn given() -> impl Strategy<Value = Given> {
    let exactly = prop_oneof![
        3 => Just(Input::Start),
        2 => (any_task(), 0_u8..3).prop_map(|(task, who)| Input::Claim { task, holder: holder(who) }),
        2 => (any_task(), 0_u8..3, 0_u32..3, 0_u8..2).prop_map(|(task, who, number, name)| Input::Checkpoint {
            task,
            holder: holder(who),
            number,
            checkpoint: checkpoint(&name.to_string()),
        }),
        2 => (any_task(), 0_u8..3, report()).prop_map(|(task, who, report)| Input::Report { task, holder: holder(who), report }),
        2 => any_task().prop_map(|task| Input::TaskLost { task, why: Loss::LeaseEnded }),
        2 => timer().prop_map(Input::TimerFired),
        1 => prop_oneof![Just(Signal::Abort), Just(Signal::RollBack)]
            .prop_map(|signal| Input::Signal { who: "bob".to_owned(), signal, step: None, comment: None }),
        2 => (prop::sample::select(vec!["carol", "dave", "bob"]), any::<bool>(), 0_u32..5).prop_map(|(who, yes, step)| {
            let signal = if yes { Signal::Approve } else { Signal::Reject };
            Input::Signal { who: who.to_owned(), signal, step: Some(step), comment: Some("seen".to_owned()) }
        }),
        1 => shapes().prop_map(|shapes| Input::Create(plan(&shapes))),
    ];
    prop_oneof![
        4 => exactly.prop_map(Given::Exactly),
        4 => (0_u8..3).prop_map(Given::ClaimWanted),
        4 => report().prop_map(Given::ReportHeld),
        2 => (0_u32..2).prop_map(Given::CheckpointHeld),
        1 => Just(Given::LoseHeld),
        3 => Just(Given::FireAny),
    ]
}

fn input(given: &Given, deployment: &Deployment) -> Option<Input> {
    use crate::next::{Next, next};
    let Next::Outstanding { wanted, held, cancel: _, timers, hold: _ } = next(deployment) else {
        return match given {
            Given::Exactly(input) => Some(input.clone()),
            _ => None,
        };
    };
    Some(match given {
        Given::Exactly(input) => input.clone(),
        Given::ClaimWanted(who) => Input::Claim { task: wanted?.task, holder: holder(*who) },
        Given::ReportHeld(report) => {
            let held = held?;
            Input::Report { task: held.task, holder: held.holder, report: report.clone() }
        }
        Given::CheckpointHeld(number) => {
            let held = held?;
            let checkpoint = checkpoint(&number.to_string());
            Input::Checkpoint { task: held.task, holder: held.holder, number: *number, checkpoint }
        }
        Given::LoseHeld => Input::TaskLost { task: held?.task, why: Loss::Disowned },
        Given::FireAny => Input::TimerFired(timers.first()?.id),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_inputs_at_any_time_leave_a_sound_state(
        shapes in shapes(),
        inputs in prop::collection::vec((given(), prop_oneof![8 => -10_000_i64..200_000, 1 => any::<i64>()]), 0..80),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut journal = create(plan(&shapes), 0).expect("a valid plan");
        let mut deployment = Deployment::replay(&journal).expect("a journal");
        for (given, now_ms) in inputs {
            let Some(input) = input(&given, &deployment) else { continue };
            let before = deployment.clone();
            match decide(&deployment, &input, now_ms) {
                Ok(events) => {
                    deployment = deployment.after(&events).expect("decided events fit");
                    journal.extend(events);
                    // The same once more changes nothing.
                    if let Ok(again) = decide(&deployment, &input, now_ms) {
                        prop_assert!(again.is_empty(), "{input:?} again: {again:?}");
                    }
                }
                Err(_) => prop_assert_eq!(&deployment, &before),
            }
            invariants::check(&deployment).expect("sound");
            view(&deployment, None);
            if let Some((task, ..)) = deployment.held() {
                prop_assert!(assignment(&deployment, task).is_some());
            }
        }
        let stored: Vec<Event> = journal
            .iter()
            .map(|event| StoredEvent::decode(&StoredEvent::encode(event).expect("written")).expect("read").event)
            .collect();
        prop_assert_eq!(&stored, &journal);
        prop_assert_eq!(Deployment::replay(&stored).expect("a journal"), deployment);

        // Any beginning of the journal is a state that can go on.
        let part = &journal[..=cut.index(journal.len())];
        Deployment::replay(part).expect("sound");
    }
}
