//! What happens to a world: drawn from the seed before it begins, so that it depends on nothing else.

use std::time::Duration;

use domain::signal::Signal;
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    aws::{Ambush, Weather},
    deployments::Wanted,
};

/// How long whoever replaces a delegate's process waits for it to leave: a little longer than the delegate takes at most.
pub(crate) const GRACE: Duration = Duration::from_secs(35);

/// Which machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// The control plane's.
    ControlPlane,
    /// A delegate's.
    Delegate(usize),
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A person deploys.
    Deploy(Wanted),
    /// A person says something about a deployment.
    Say(usize, Signal),
    /// `SIGKILL`. `silent`: the machine went with it, and nobody says that its connections are gone.
    Kill {
        /// Whose process.
        host: Host,
        /// Whether peers hear of it.
        silent: bool,
    },
    /// The process is started again, if it does not run.
    Start(Host),
    /// `SIGSTOP`.
    Stop(Host),
    /// `SIGCONT`.
    GoOn(Host),
    /// `SIGTERM`, to a delegate.
    Drain(usize),
    /// Nothing passes any more from a delegate to the control plane, or back.
    Cut {
        /// The delegate.
        delegate: usize,
        /// From it.
        up: bool,
        /// To it.
        down: bool,
    },
    /// Everything passes again.
    Heal(usize),
    /// What passes takes this many milliseconds at most.
    Delays(usize, u64),
    /// A middlebox forgets every connection.
    ResetAll,
    /// AWS behaves otherwise.
    Weather(Weather),
    /// Whoever sends a certain write is cut off while it does.
    Ambush(Ambush),
    /// The time of day is set, by milliseconds.
    Jump(Host, i64),
}

impl Event {
    /// Whether something goes wrong by it: people may deploy and speak, and delegates come and go in order.
    pub fn is_trouble(&self) -> bool {
        !matches!(self, Self::Deploy(_) | Self::Say(..) | Self::Drain(_) | Self::Start(Host::Delegate(_)) | Self::Weather(_))
    }
}

/// A run before it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Lines in the account.
    pub lines: usize,
    /// Delegates' machines: how fast each clock is (millionths), and how far ahead its time of day (milliseconds).
    pub clocks: Vec<(i64, i64)>,
    /// What happens when, in order. After the last of it everything is well again.
    pub events: Vec<(Duration, Event)>,
    /// When trouble ends.
    pub calm_after: Duration,
}

impl Scenario {
    /// Nothing but one deployment that succeeds, by one delegate.
    pub fn plain() -> Self {
        let wanted =
            Wanted { number: 0, line: 0, tag: "new".into(), in_two: true, bake_ms: None, shares: vec![20], wait_seconds: 5 };
        Self {
            lines: 1,
            clocks: vec![(0, 0)],
            events: vec![(Duration::from_secs(2), Event::Deploy(wanted))],
            calm_after: Duration::from_secs(3),
        }
    }

    /// Whether nothing that happens is a reason for this deployment not to succeed: its version is good, nobody ends it or another
    /// of its line by hand, and AWS does what it is asked to. Delegates and the control plane may die, hang, be cut off, leave.
    pub fn has_to_succeed(&self, wanted: &Wanted) -> bool {
        let deployed = || {
            self.events.iter().filter_map(|(_, event)| match event {
                Event::Deploy(other) => Some(other),
                _ => None,
            })
        };
        let line_of = |number: usize| deployed().find(|other| other.number == number).map(|other| other.line);
        let a_reason = |event: &Event| match event {
            Event::Say(number, Signal::RollBack) => *number == wanted.number,
            Event::Say(number, Signal::Abort) => line_of(*number) == Some(wanted.line),
            Event::Weather(_) | Event::Ambush(_) => true,
            _ => false,
        };
        wanted.is_good() && !self.events.iter().any(|(_, event)| a_reason(event))
    }

    /// The one of this seed.
    pub fn of(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let (lines, deployments) = (rng.random_range(1..=2), rng.random_range(1..=3_usize));
        let delegates = rng.random_range(2..=3);
        let clock = |rng: &mut StdRng| (rng.random_range(-5_000..=5_000), rng.random_range(-600_000..=600_000));
        let clocks = (0..delegates).map(|_| clock(&mut rng)).collect();
        let mut events = Vec::new();
        // Numbered as they come: their ids have to be in that order, as those of the product are.
        let mut moments: Vec<u64> = (0..deployments).map(|_| rng.random_range(1_000..60_000)).collect();
        moments.sort_unstable();
        for (number, moment) in moments.into_iter().enumerate() {
            let tag = match rng.random_range(0..8) {
                0 => "crash",
                1 => "ill",
                _ => "new",
            };
            let wanted = Wanted {
                number,
                line: rng.random_range(0..lines),
                tag: format!("{tag}{number}"),
                in_two: rng.random_bool(0.3),
                bake_ms: rng.random_bool(0.3).then(|| rng.random_range(5..30) * 1_000),
                shares: match rng.random_range(0..6) {
                    0 => vec![rng.random_range(1..100)],
                    1 => vec![10, 50],
                    _ => Vec::new(),
                },
                wait_seconds: if rng.random_bool(0.2) { 10 } else { 0 },
            };
            events.push((Duration::from_millis(moment), Event::Deploy(wanted)));
        }
        let mut calm_after = Duration::from_secs(rng.random_range(60..240));
        if rng.random_bool(0.15) {
            calm_after += roll(&mut rng, delegates, &mut events);
        }
        for _ in 0..rng.random_range(2..12) {
            let at = Duration::from_millis(rng.random_range(2_000..calm_after.as_secs() * 1_000));
            let length = Duration::from_millis(match rng.random_range(0..3) {
                0 => rng.random_range(100..3_000),
                1 => rng.random_range(3_000..20_000),
                _ => rng.random_range(8_000..60_000),
            });
            trouble(&mut rng, at, length, (delegates, deployments), &mut events);
        }
        // Those of one moment in the order in which they were drawn.
        events.sort_by_key(|(at, _)| *at);
        Self { lines, clocks, events, calm_after }
    }
}

/// One kind of trouble, and its end.
fn trouble(
    rng: &mut StdRng,
    at: Duration,
    length: Duration,
    (delegates, deployments): (usize, usize),
    events: &mut Vec<(Duration, Event)>,
) {
    let delegate = rng.random_range(0..delegates);
    let host = if rng.random_bool(0.3) { Host::ControlPlane } else { Host::Delegate(delegate) };
    if rng.random_bool(0.15) {
        return storm(rng, at, delegates, events);
    }
    let mut both = |begin: Event, end: Event| events.extend([(at, begin), (at + length, end)]);
    match rng.random_range(0..20) {
        0..=3 => both(Event::Kill { host, silent: rng.random_bool(0.5) }, Event::Start(host)),
        4..=6 => both(Event::Stop(host), Event::GoOn(host)),
        7..=10 => {
            let (up, down) = [(true, true), (true, false), (false, true)][rng.random_range(0..3)];
            both(Event::Cut { delegate, up, down }, Event::Heal(delegate));
        }
        11 => {
            let back = at + GRACE.max(length);
            events.extend([(at, Event::Drain(delegate)), (back, Event::Start(Host::Delegate(delegate)))]);
        }
        12 => both(Event::Delays(delegate, rng.random_range(100..4_000)), Event::Delays(delegate, 20)),
        13 => events.push((at, Event::ResetAll)),
        14..=16 => {
            let weather = Weather {
                throttled: rng.random_range(0.0..0.4),
                lost_before: rng.random_range(0.0..0.1),
                lost_after: rng.random_range(0.0..0.3),
                slow: rng.random_range(0.0..0.5),
                faulty: if rng.random_bool(0.5) { rng.random_range(0.0..0.2) } else { 0.0 },
                stale: if rng.random_bool(0.3) { 0.5 } else { 0.0 },
            };
            let end = at + length.min(Duration::from_secs(30));
            events.extend([(at, Event::Weather(weather)), (end, Event::Weather(Weather::FAIR))]);
        }
        17 => events.push((at, Event::Jump(host, rng.random_range(-600_000..=600_000)))),
        _ => {
            let number = rng.random_range(0..deployments);
            let signal = match rng.random_range(0..10) {
                0..=5 => Signal::Pause,
                6..=8 => Signal::RollBack,
                _ => Signal::Abort,
            };
            events.push((at, Event::Say(number, signal)));
            if signal == Signal::Pause {
                events.push((at + length, Event::Say(number, Signal::Resume)));
            }
        }
    }
}

/// All delegates are replaced, one after the other. Gives how long that takes; the other trouble comes when it may.
fn roll(rng: &mut StdRng, delegates: usize, events: &mut Vec<(Duration, Event)>) -> Duration {
    let mut at = Duration::from_millis(rng.random_range(5_000..40_000));
    for delegate in 0..delegates {
        events.push((at, Event::Drain(delegate)));
        at += GRACE + Duration::from_millis(rng.random_range(0..20_000));
        events.push((at, Event::Start(Host::Delegate(delegate))));
    }
    at
}

/// AWS takes its time and refuses while a delegate is cut off in the midst of its writes, and perhaps its clock is set back: what
/// the lease is for.
fn storm(rng: &mut StdRng, at: Duration, delegates: usize, events: &mut Vec<(Duration, Event)>) {
    let jump_ms = if rng.random_bool(0.3) { -rng.random_range(10_000..300_000) } else { 0 };
    events.push((at, Event::Ambush(Ambush { write: rng.random_range(1..12), jump_ms })));
    let calm = at + Duration::from_millis(rng.random_range(20_000..60_000));
    events.push((calm, Event::Weather(Weather::FAIR)));
    let healed = calm + Duration::from_millis(rng.random_range(0..20_000));
    events.extend((0..delegates).map(|delegate| (healed, Event::Heal(delegate))));
}
