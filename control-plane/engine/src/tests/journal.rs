//! Journals as they are stored: today's format, and every older one that was ever released.

use std::collections::BTreeSet;

use domain::{deployment::DeploymentView, outcome::Outcome, signal::Signal, task::Direction};

use super::run::{Run, failed, perform, succeeded, undo};
use crate::{
    event::Event,
    fixture::{
        Shape::{Changes, Waits},
        holder,
    },
    next::{Next, TimerId, next},
    state::Deployment,
    stored::{FORMAT, StoredEvent, StoredEventError},
    view::view,
};

/// A run in which every kind of event happens.
fn eventful() -> Run {
    let mut run = Run::started(&[Waits, Changes, Changes]);
    run.fire(TimerId::Wait { step: 0 }).expect("taken");
    run.claim(perform(1, 1), holder(1)).expect("taken");
    run.checkpoint(perform(1, 1), holder(1), 0, "todolist__2").expect("taken");
    run.lose(perform(1, 1)).expect("taken");
    run.claim(perform(1, 2), holder(2)).expect("taken");
    run.report(perform(1, 2), holder(2), succeeded()).expect("taken");
    run.claim(perform(2, 1), holder(2)).expect("taken");
    run.report(perform(2, 1), holder(2), failed(true)).expect("taken");
    run.fire(TimerId::Retry { step: 2, direction: Direction::Perform }).expect("taken");
    run.signal(Signal::RollBack).expect("taken");
    run.claim(undo(2, 1), holder(2)).expect("taken");
    run.fire(TimerId::Limit { step: 2, direction: Direction::Undo }).expect("taken");
    run.report(undo(2, 1), holder(2), succeeded()).expect("taken");
    run.claim(undo(1, 1), holder(2)).expect("taken");
    run.report(undo(1, 1), holder(2), failed(false)).expect("taken");
    assert!(matches!(next(&run.deployment), Next::Finished(Outcome::NeedsOperator(_))));
    run
}

#[test]
fn the_journal_of_format_1_gives_the_view_it_gave() {
    let stored = include_str!("../../fixtures/journal-1.jsonl");
    let expected = include_str!("../../fixtures/journal-1.view.json");
    let events: Vec<Event> =
        stored.lines().map(|line| StoredEvent::decode(line.as_bytes()).expect("format 1 is read").event).collect();
    let shown = view(&Deployment::replay(&events).expect("a journal"), None);
    assert_eq!(shown, serde_json::from_str::<DeploymentView>(expected).expect("a view"));

    let kinds: BTreeSet<&str> = events.iter().map(Event::name).collect();
    assert_eq!(kinds.len(), 16, "every kind of event is in it: {kinds:?}");
}

#[test]
fn todays_journal_is_written_as_the_fixture_is() {
    let written: Vec<String> = eventful()
        .journal
        .iter()
        .map(|event| String::from_utf8(StoredEvent::encode(event).expect("written")).expect("JSON is text"))
        .collect();
    let stored: Vec<&str> = include_str!("../../fixtures/journal-1.jsonl").lines().collect();
    // When this differs the format has changed: add a format and a fixture, and keep this one readable.
    assert_eq!(written, stored);
}

#[test]
fn every_beginning_of_a_journal_asks_for_what_is_missing() {
    let journal = eventful().journal;
    for length in 1..journal.len() {
        let torn = Deployment::replay(&journal[..length]).expect("a journal");
        let Next::Outstanding { timers, .. } = next(&torn) else {
            assert_eq!(next(&torn), Next::Queued, "after {length} events");
            continue;
        };
        if timers.iter().any(|timer| timer.id == TimerId::Settle) {
            let rest = crate::decide(&torn, &crate::Input::TimerFired(TimerId::Settle), i64::MAX).expect("taken");
            assert_eq!(rest[0].name(), journal[length].name(), "after {length} events");
        }
    }
}

#[test]
fn a_later_format_is_refused_with_its_number_and_rubbish_as_such() {
    let error = StoredEvent::decode(br#"{"format":2,"event":{"something":"new"}}"#).expect_err("too new");
    assert!(matches!(error, StoredEventError::TooNew { found: 2 }));
    assert!(error.to_string().contains("later release"), "{error}");
    assert_eq!(FORMAT, 1);
    for rubbish in [&b"{"[..], b"{}", br#"{"format":1,"event":{"unheardOf":{}}}"#, b"\xff"] {
        assert!(matches!(StoredEvent::decode(rubbish), Err(StoredEventError::Json(_))));
    }
}
