//! The life of services: tasks start, come up, answer, crash, are replaced and stop, all in their time.

use std::collections::BTreeMap;

use delegate::aws::{
    actions::forward_targets,
    model::{Service, ServiceDeployment, Target},
};
use rand::Rng;

use super::account::{Account, Quality, SimService, SimTask, service_arn};

impl SimService {
    pub(super) fn new(
        name: &str,
        task_definition: &str,
        target_groups: Vec<String>,
        tags: BTreeMap<String, String>,
        quality: Quality,
    ) -> Self {
        let deployment = ServiceDeployment {
            id: "ecs-svc/1".into(),
            status: "PRIMARY".into(),
            rollout_state: Some("COMPLETED".into()),
            ..ServiceDeployment::default()
        };
        let base = Service {
            name: name.into(),
            arn: service_arn(name),
            status: "ACTIVE".into(),
            task_definition: task_definition.into(),
            deployments: vec![deployment],
            target_groups,
            tags,
            ..Service::default()
        };
        Self { base, quality, tasks: Vec::new(), resting_until: 0, announced: true }
    }

    pub(super) fn alive(&self, now: u64) -> impl Iterator<Item = &SimTask> {
        self.tasks.iter().filter(move |task| task.stopped.is_none_or(|stopped| stopped > now))
    }

    /// As AWS shows it.
    pub(super) fn shown(&self, now: u64) -> Service {
        let count = |up: bool| {
            let tasks = self.alive(now).filter(|task| (task.up <= now) == up).count();
            u32::try_from(tasks).unwrap_or(u32::MAX)
        };
        Service { running: count(true), pending: count(false), ..self.base.clone() }
    }
}

/// A task's address.
pub(super) fn address(task: &SimTask) -> String {
    format!("10.0.{}.{}", task.number / 200, task.number % 200 + 10)
}

impl Account {
    /// Lets everything happen that was to happen until now.
    pub(super) fn advance(&mut self, now: u64) {
        let names: Vec<String> = self.services.keys().cloned().collect();
        for name in names {
            // A task that crashes is followed by another, which may crash in the same stretch of time.
            while let Some(at) = self.next_crash(&name, now) {
                self.crash(&name, at);
            }
            self.fill(&name, now);
            self.announce(&name, now);
        }
    }

    fn next_crash(&self, name: &str, now: u64) -> Option<u64> {
        let tasks = self.services.get(name)?.tasks.iter().filter(|task| task.crashed);
        tasks.filter_map(|task| task.stopped).filter(|at| *at <= now).min()
    }

    fn crash(&mut self, name: &str, at: u64) {
        let Some(service) = self.services.get_mut(name) else { return };
        for task in &mut service.tasks {
            if task.crashed && task.stopped == Some(at) {
                task.crashed = false;
                service.base.deployments[0].failed_tasks += 1;
            }
        }
        service.resting_until = at + 3_000;
        self.fill(name, at + 3_000);
    }

    /// Starts what is missing.
    fn fill(&mut self, name: &str, now: u64) {
        let Some(service) = self.services.get(name) else { return };
        let alive = u32::try_from(service.alive(now).count()).unwrap_or(u32::MAX);
        if service.base.desired <= alive || service.resting_until > now {
            return;
        }
        let (missing, quality) = (service.base.desired - alive, service.quality);
        let mut started = String::new();
        for _ in 0..missing {
            self.numbers += 1;
            let up = now + self.rng.random_range(2_000..8_000);
            let (healthy, stopped) = match quality {
                Quality::Good => (up + self.rng.random_range(3_000..12_000), None),
                Quality::Crashes => (u64::MAX, Some(up + self.rng.random_range(500..3_000))),
                Quality::Ill => (u64::MAX, None),
            };
            let task = SimTask { number: self.numbers, created: now, up, healthy, stopped, crashed: stopped.is_some() };
            started += &format!(" (task {})", task.number);
            if let Some(service) = self.services.get_mut(name) {
                service.tasks.push(task);
            }
        }
        self.event(name, now, &format!("has started {missing} tasks:{started}."));
    }

    fn announce(&mut self, name: &str, now: u64) {
        let Some(service) = self.services.get_mut(name) else { return };
        let up = service.alive(now).filter(|task| task.up <= now).count();
        let whole = u32::try_from(up).is_ok_and(|up| up == service.base.desired) && service.alive(now).count() == up;
        if whole && !service.announced && !(service.quality == Quality::Crashes && service.base.desired > 0) {
            service.announced = true;
            service.base.deployments[0].rollout_state = Some("COMPLETED".into());
            self.event(name, now, "has reached a steady state.");
        }
    }

    /// Changes the desired count.
    pub(super) fn resize(&mut self, name: &str, count: u32, now: u64) {
        let Some(service) = self.services.get_mut(name) else { return };
        if service.base.desired == count {
            return;
        }
        service.base.desired = count;
        service.announced = false;
        service.base.deployments[0].rollout_state = Some("IN_PROGRESS".into());
        let mut alive: Vec<&mut SimTask> =
            service.tasks.iter_mut().filter(|task| task.stopped.is_none_or(|stopped| stopped > now)).collect();
        let gone = alive.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        for task in alive.iter_mut().rev().take(gone) {
            (task.stopped, task.crashed) = (Some(now), false);
        }
        if gone > 0 {
            self.event(name, now, &format!("has stopped {gone} running tasks."));
        }
        self.fill(name, now);
    }

    /// Leads a listener elsewhere.
    pub(super) fn lead(&mut self, listener: &str, actions: &serde_json::Value, now: u64) {
        if let Some(found) = self.listeners.iter_mut().find(|known| known.arn == listener) {
            found.actions = actions.clone();
        }
        let led: Vec<String> =
            self.listeners.iter().flat_map(|listener| forward_targets(&listener.actions)).map(|(group, _)| group).collect();
        self.led_since.retain(|group, _| led.contains(group));
        for group in led {
            self.led_since.entry(group).or_insert(now);
        }
    }

    /// A target group's targets.
    pub(super) fn targets(&self, group: &str, now: u64) -> Vec<Target> {
        let led = self.led_since.get(group).copied();
        let mut targets = Vec::new();
        for service in self.services.values().filter(|service| service.base.target_groups.iter().any(|of| of == group)) {
            for task in service.alive(now).filter(|task| task.up <= now) {
                let state = match led {
                    None => "unused",
                    // Checked anew once a listener leads here again.
                    Some(since) if task.healthy <= now && (since == 0 || since + 4_000 <= now) => "healthy",
                    Some(_) if service.quality == Quality::Ill && task.up + 20_000 < now => "unhealthy",
                    Some(_) => "initial",
                };
                targets.push(Target {
                    id: address(task),
                    port: Some(80),
                    state: state.into(),
                    reason: (state == "unhealthy").then(|| "Target.FailedHealthChecks".into()),
                    description: None,
                });
            }
        }
        targets
    }
}
