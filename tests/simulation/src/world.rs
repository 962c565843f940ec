//! The machines, the network, AWS and the people of one run, and what each event does to them.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use control_plane::{logs::MemoryLogs, store::MemoryStore};
use domain::{ids::DelegateId, signal::Signal};
use rand::{Rng, SeedableRng, rngs::StdRng};
use runtime::{chance::Chance, gate::Standing, tasks::Tasks};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    aws::{Account, Cloud, Weather},
    clock::HostClock,
    control_plane::{self as control, ControlPlane},
    delegate_process::{self as delegates, DelegateProcess},
    network::{Lane, Net, Path},
    people::People,
    planted::Planted,
    said::Said,
    scenario::{Event, GRACE, Host, Scenario},
    trace::Trace,
};

/// The world.
pub struct World {
    pub(crate) trace: Arc<Trace>,
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) said: Arc<Said>,
    pub(crate) logs: Arc<MemoryLogs>,
    pub(crate) people: People,
    net: Arc<Net>,
    tasks: Tasks,
    rng: StdRng,
    control: control::Machine,
    running: Option<ControlPlane>,
    stored: Option<MemoryStore>,
    machines: Vec<delegates::Machine>,
    processes: Vec<Option<DelegateProcess>>,
    started: u128,
    /// How often something went wrong so far.
    troubled: Arc<AtomicU64>,
}

impl World {
    /// Everything is there, and nothing runs.
    pub fn new(seed: u64, scenario: &Scenario, planted: Planted, trace: Arc<Trace>) -> Self {
        let mut rng = StdRng::seed_from_u64(seed ^ 0x5e90_e000);
        let tasks = Tasks::new(CancellationToken::new());
        let cloud = Cloud::new(Account::new(scenario.lines, rng.random()), rng.random(), trace.clone(), tasks.clone());
        let trusts_wall = planted == Planted::ClockTrusted;
        let machines: Vec<_> = scenario
            .clocks
            .iter()
            .enumerate()
            .map(|(number, (drift, off))| {
                let delegate = DelegateId::new(Uuid::from_u128(0x100 + number as u128));
                let (up, down) = (Arc::new(Lane::new(rng.random())), Arc::new(Lane::new(rng.random())));
                delegates::Machine {
                    name: format!("delegate-{number}").into(),
                    delegate,
                    clock: Arc::new(HostClock::new(*drift, *off, trusts_wall)),
                    path: Arc::new(Path { up, down, delegate }),
                    planted,
                }
            })
            .collect();
        for machine in &machines {
            cloud.knows(machine.name.clone(), machine.path.clone(), machine.clock.clone());
        }
        let logs = Arc::new(MemoryLogs::new());
        let control = control::Machine {
            clock: Arc::new(HostClock::new(0, 0, trusts_wall)),
            logs: logs.clone(),
            roster: machines.iter().map(|machine| machine.delegate).collect(),
            planted,
        };
        Self {
            people: People::new(trace.clone(), tasks.clone()),
            trace,
            cloud,
            said: Arc::default(),
            logs,
            net: Arc::default(),
            tasks,
            rng,
            control,
            running: None,
            stored: Some(MemoryStore::new()),
            processes: machines.iter().map(|_| None).collect(),
            machines,
            started: 0,
            troubled: Arc::default(),
        }
    }

    /// Starts every process that does not run.
    pub async fn start_all(&mut self) {
        self.start(Host::ControlPlane).await;
        for delegate in 0..self.machines.len() {
            self.start(Host::Delegate(delegate)).await;
        }
    }

    /// What was broken is whole again.
    pub async fn calm(&mut self) {
        self.cloud.ambush(None);
        self.cloud.weather(Weather::FAIR);
        for delegate in 0..self.machines.len() {
            self.heal(delegate);
            self.delays(delegate, 20);
            self.go_on(Host::Delegate(delegate));
        }
        self.go_on(Host::ControlPlane);
        self.start_all().await;
        for deployment in self.people.deployments() {
            self.people.say(deployment.wanted.number, Signal::Resume);
        }
        self.trace.say("world", "calm");
    }

    /// One event.
    pub async fn happen(&mut self, event: Event) {
        if event.is_trouble() {
            self.troubled.fetch_add(1, Ordering::Relaxed);
        }
        match event {
            Event::Deploy(wanted) => {
                self.cloud.expect(wanted.id(), wanted.line_name());
                self.people.deploy(wanted);
            }
            Event::Say(number, signal) => self.people.say(number, signal),
            Event::Kill { host, silent } => self.kill(host, silent),
            Event::Start(host) => self.start(host).await,
            Event::Stop(host) => self.told(host, "is stopped", |gate| gate.stop()),
            Event::GoOn(host) => self.go_on(host),
            Event::Drain(delegate) => self.drain(delegate),
            Event::Cut { delegate, up, down } => {
                let machine = &self.machines[delegate];
                self.trace.say(&machine.name, format!("cut off: up {up}, down {down}"));
                // What is cut already stays so.
                if up {
                    machine.path.up.cut(true);
                }
                if down {
                    machine.path.down.cut(true);
                }
            }
            Event::Heal(delegate) => self.heal(delegate),
            Event::Delays(delegate, most) => self.delays(delegate, most),
            Event::ResetAll => {
                self.trace.say("network", "every connection is reset");
                self.net.reset_all();
            }
            Event::Weather(weather) => {
                self.trace.say("aws", format!("{weather:?}"));
                self.cloud.weather(weather);
            }
            Event::Ambush(ambush) => self.cloud.ambush(Some(ambush)),
            Event::Jump(host, by_ms) => {
                let (name, clock) = match host {
                    Host::ControlPlane => ("control-plane", &self.control.clock),
                    Host::Delegate(number) => (&*self.machines[number].name, &self.machines[number].clock),
                };
                self.trace.say(name, format!("its clock is set by {by_ms} ms"));
                clock.jump(by_ms);
            }
        }
    }

    fn name(&self, host: Host) -> Arc<str> {
        match host {
            Host::ControlPlane => "control-plane".into(),
            Host::Delegate(number) => self.machines[number].name.clone(),
        }
    }

    fn told(&self, host: Host, what: &str, does: impl FnOnce(&runtime::gate::Gate)) {
        let gate = match host {
            Host::ControlPlane => self.running.as_ref().map(|running| &running.gate),
            Host::Delegate(number) => self.processes[number].as_ref().map(|process| &process.gate),
        };
        if let Some(gate) = gate {
            self.trace.say(&self.name(host), what);
            does(gate);
        }
    }

    /// A delegate is asked to leave. Where nothing went wrong before, and nothing does until it has left, it leaves in order.
    fn drain(&mut self, delegate: usize) {
        let machine = &self.machines[delegate];
        let Some(process) = &mut self.processes[delegate] else { return };
        let Some(running) = process.drain(machine.planted) else { return };
        self.trace.say(&machine.name, "is asked to leave");
        let (name, instance, trace, said) = (machine.name.clone(), process.instance, self.trace.clone(), self.said.clone());
        let troubled = self.troubled.clone();
        self.tasks.spawn("left", async move {
            let left = tokio::time::timeout(GRACE, running.left()).await;
            trace.say(&name, if left.is_ok() { "has left" } else { "did not leave" });
            if troubled.load(Ordering::Relaxed) == 0
                && let Err(wrong) = said.left(instance)
            {
                trace.violated(format!("{name} has left: {wrong}"));
            }
        });
    }

    fn go_on(&self, host: Host) {
        self.told(host, "goes on", |gate| {
            if gate.standing() == Standing::Stopped {
                gate.go_on();
            }
        });
    }

    fn heal(&self, delegate: usize) {
        let machine = &self.machines[delegate];
        self.trace.say(&machine.name, "reachable");
        machine.path.up.cut(false);
        machine.path.down.cut(false);
    }

    fn delays(&self, delegate: usize, most: u64) {
        let machine = &self.machines[delegate];
        machine.path.up.delays(1, most);
        machine.path.down.delays(1, most);
    }

    fn kill(&mut self, host: Host, silent: bool) {
        match host {
            Host::ControlPlane => {
                let Some(running) = self.running.take() else { return };
                self.people.ask(None);
                self.stored = Some(running.kill(&self.net));
            }
            Host::Delegate(number) => {
                let Some(process) = self.processes[number].take() else { return };
                process.gate.kill();
                self.said.gone(process.instance);
            }
        }
        self.trace.say(&self.name(host), if silent { "dies silently" } else { "dies" });
        if !silent {
            self.net.bury();
        }
    }

    async fn start(&mut self, host: Host) {
        match host {
            Host::ControlPlane => {
                let Some(stored) = self.stored.take() else { return };
                let chance = Chance::seeded(self.rng.random());
                match ControlPlane::start(&self.control, stored, &self.net, chance, self.tasks.clone()).await {
                    Ok(running) => {
                        self.people.ask(Some(running.dispatch.clone()));
                        self.running = Some(running);
                    }
                    Err(error) => self.trace.violated(format!("the control plane does not start: {error}")),
                }
            }
            Host::Delegate(number) => {
                // One that was asked to leave is replaced, at the latest now.
                if self.processes[number].as_ref().is_some_and(|process| process.stop.is_cancelled()) {
                    self.kill(host, false);
                }
                if self.processes[number].is_some() {
                    return;
                }
                self.started += 1;
                let chance = Chance::seeded(self.rng.random());
                let (machine, started) = (&self.machines[number], self.started);
                self.processes[number] =
                    Some(DelegateProcess::start(machine, started, &self.net, &self.cloud, &self.said, chance));
            }
        }
        self.trace.say(&self.name(host), "starts");
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
