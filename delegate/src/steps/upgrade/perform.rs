//! The order of the upgrade.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::{Checkpoint, InstanceCount, SetupOutput, StepOutput, UpgradeContainers, UpgradeOutput},
};

use super::{
    super::{
        Step, counts,
        counts::Progress,
        events::{Events, latest_ms},
        scaling,
        step::{setup_of, short_name},
        targets::{self, Standing},
    },
    dossier,
    failing::{self, Evidence},
    sick::Sick,
    undo,
};
use crate::{
    aws::model::{Service, Target, Task, TaskState},
    executor::{Halt, Outcome, StepContext, Waiting},
};

/// A service that is steady by its counts is believed after this long without ECS saying so (it does not repeat itself for hours).
const STEADY_WITHOUT_EVENT: Duration = Duration::from_secs(90);

/// How long AWS may take to list tasks that are healthy targets already.
const TASKS_LISTED_WITHIN: Duration = Duration::from_secs(15);

/// A shortage that lasts longer than this without anything moving is not a passing one.
const STALLED_AFTER: Duration = Duration::from_secs(30);

/// *Upgrade Containers*.
pub(in super::super) struct Upgrade<'a> {
    pub(in super::super) input: &'a UpgradeContainers,
}

#[async_trait]
impl Step for Upgrade<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        let console = context.console();
        let setup = setup_of(context)?;
        let wanted = self.wanted(setup)?;
        let cluster = short_name(&setup.cluster);
        let mut start = Start::resize(context, setup, wanted).await?;
        let service = counts::set_desired(context, &setup.cluster, &setup.service, wanted).await?;
        console.info("Service update request successfully submitted.");

        let limit = Duration::from_secs(u64::from(setup.steady_state_timeout_minutes) * 60);
        start.wait = Some(context.waiting(counts::wait_kind("steady", cluster, &setup.service), limit));
        start.say_running(start.running_before);
        start.sick = start.history(&service).await?;
        let since_ms = start.resized_at_ms;
        let addresses = match start.up(service).await {
            Err(Halt::Failed(failure)) => return Err(dossier::attach(context, setup, since_ms, failure).await.into()),
            other => other?,
        };

        match &setup.auto_scaling {
            // Before full size its lower bound would start the tasks that a later phase is to start.
            Some(scaling) if wanted >= setup.desired_count => {
                scaling::ensure(context, &setup.cluster, &setup.service, scaling).await?;
            }
            Some(_) => console.info("Auto scaling is registered at full size"),
            None => console.info("No Autoscalar config provided."),
        }
        console.info("");
        console.info("Container IDs:");
        for address in &addresses {
            console.info(format!("  {address} (new)"));
        }
        console.info("");
        console.info("Completed operation");
        console.info("----------");
        if let Some(old) = &setup.old {
            let now = counts::look(context, &setup.cluster, &[&old.name]).await?;
            let count = now.first().map_or(0, |service| service.desired);
            console.info("");
            console.info(format!("Service [{}] in cluster [{cluster}] stays at {count} instances", old.name));
            match &old.auto_scaling {
                Some(scaling) => console.info(format!("Its auto scaling stays: {}", scaling.told())),
                None => console.info("No Autoscalar config provided."),
            }
            console.info("Completed operation");
            console.info("----------");
        }
        Ok(StepOutput::Upgrade(UpgradeOutput { service: setup.service.clone(), desired_count: wanted, addresses }))
    }

    async fn undo(&self, context: &StepContext) -> Outcome<()> {
        undo::undo(context).await
    }
}

impl Upgrade<'_> {
    fn wanted(&self, setup: &SetupOutput) -> Result<u32, Failure> {
        let count = InstanceCount::parse(&self.input.desired).ok_or_else(|| {
            let message = format!("{:?} is not a number of instances.", self.input.desired);
            Failure::refused(FailureKind::Application, message).hint("Give a count such as 2, or a percentage such as 50%.")
        })?;
        Ok(count.of(setup.desired_count))
    }
}

/// The start of the new tasks, watched from the resize on.
struct Start<'a> {
    context: &'a StepContext,
    setup: &'a SetupOutput,
    wanted: u32,
    resized_at_ms: i64,
    running_before: u32,
    events: Events,
    progress: Progress,
    wait: Option<Waiting<'a>>,
    sick: Sick,
    /// The running count, and since when it is that.
    moved: (u32, Duration),
}

impl<'a> Start<'a> {
    /// Says the resize, and records it before it is asked for: events before it are old news, in this attempt and in the next.
    async fn resize(context: &'a StepContext, setup: &'a SetupOutput, wanted: u32) -> Outcome<Self> {
        let service = counts::look_at(context, &setup.cluster, &setup.service).await?;
        let recorded = context.checkpoints().iter().find_map(|checkpoint| match checkpoint {
            Checkpoint::ResizeStarted { from, at_seconds, .. } => Some((*from, *at_seconds)),
            _ => None,
        });
        let (from, events, resized_at_ms) = match recorded {
            Some((from, at_seconds)) => (from, Events::since(at_seconds * 1_000), at_seconds * 1_000),
            None => (service.desired, Events::after(&service), latest_ms(&service)),
        };
        let cluster = short_name(&setup.cluster);
        context
            .console()
            .info(format!("Resize service [{}] in cluster [{cluster}] from {from} to {wanted} instances", setup.service));
        if recorded.is_none() {
            let checkpoint = Checkpoint::ResizeStarted {
                service: setup.service.clone(),
                from,
                to: wanted,
                // Rounded down: an event of the same second may be told twice, and none is missed.
                at_seconds: resized_at_ms.div_euclid(1_000),
            };
            context.checkpoint(checkpoint).await?;
        }
        Ok(Self {
            context,
            setup,
            wanted,
            resized_at_ms,
            running_before: service.running,
            events,
            progress: Progress::default(),
            wait: None,
            sick: Sick::default(),
            moved: (service.running, Duration::ZERO),
        })
    }

    /// Running, steady, healthy, in this order. Gives what to call the tasks.
    async fn up(mut self, service: Service) -> Outcome<Vec<String>> {
        let console = self.context.console();
        let service = self.running(service).await?;
        console.info("Waiting for service to be in steady state...");
        self.steady(service).await?;
        console.info("Service has reached a steady state");
        let addresses = self.healthy().await?;
        self.ended();
        Ok(addresses)
    }

    /// An empty history of the new targets, with the times that its judgement needs.
    async fn history(&self, service: &Service) -> Outcome<Sick> {
        let context = self.context;
        let arns: Vec<String> = self.setup.traffic.new_target_groups().into_iter().map(str::to_owned).collect();
        let groups =
            if arns.is_empty() { Vec::new() } else { context.read(context.aws()?.load_balancing.target_groups(&arns)).await? };
        let seconds = |seconds: u32| context.polling().aws_time(Duration::from_secs(u64::from(seconds)));
        let interval = groups.iter().map(|group| group.health_check_interval_seconds).max().unwrap_or(0);
        Ok(Sick::new(seconds(interval), seconds(service.health_check_grace_seconds)))
    }

    fn elapsed(&self) -> Duration {
        self.wait.as_ref().map(Waiting::elapsed).unwrap_or_default()
    }

    /// Pauses; false when the time for the steady state is up.
    async fn again(&mut self, changed: bool) -> Outcome<bool> {
        match &mut self.wait {
            Some(wait) => wait.again(changed).await,
            None => Ok(false),
        }
    }

    /// The reference's line, when the count changed or was said long ago; whether it changed.
    fn say_running(&mut self, running: u32) -> bool {
        let (context, wanted, elapsed) = (self.context, self.wanted, self.elapsed());
        self.progress.say(elapsed, running, || counts::pending_line(context, running, wanted))
    }

    fn ended(self) {
        if let Some(wait) = self.wait {
            wait.ended();
        }
    }

    async fn look(&self) -> Outcome<Service> {
        counts::look_at(self.context, &self.setup.cluster, &self.setup.service).await
    }

    /// Waits until enough tasks run.
    async fn running(&mut self, mut service: Service) -> Outcome<Service> {
        loop {
            let (wanted, running) = (self.wanted, service.running);
            let moved = running < wanted && self.say_running(running);
            let news = self.events.tell(self.context.console(), &service);
            if running >= wanted {
                self.say_running(running);
                return Ok(service);
            }
            self.refuse_hopeless(&service, None).await?;
            if !self.again(news || moved).await? {
                return Err(self.too_slow(&format!("{running} of {wanted} tasks are running"), &service).await);
            }
            service = self.look().await?;
        }
    }

    /// Waits until ECS calls the service steady.
    async fn steady(&mut self, mut service: Service) -> Outcome<()> {
        let mut settled_at = None;
        loop {
            let news = self.events.tell(self.context.console(), &service);
            let settled = settled(&service, self.wanted);
            // ECS says "steady" after it started the last task; where it says nothing at all, the counts have to do.
            if settled && (self.events.steady() || !self.events.any()) {
                return Ok(());
            }
            let now = self.elapsed();
            let since = *settled_at.get_or_insert(now);
            if !settled {
                settled_at = None;
            } else if now.saturating_sub(since) >= self.context.polling().aws_time(STEADY_WITHOUT_EVENT) {
                self.context
                    .console()
                    .warn("ECS has not announced a steady state; its counts say that the service has reached one.");
                return Ok(());
            }
            self.refuse_hopeless(&service, None).await?;
            if !self.again(news).await? {
                let state = format!(
                    "{} of {} tasks are running, {} are pending, in {} ECS deployments",
                    service.running,
                    self.wanted,
                    service.pending,
                    service.deployments.len()
                );
                return Err(self.too_slow(&state, &service).await);
            }
            service = self.look().await?;
        }
    }

    /// Waits until every task is a healthy target. Gives what to call the tasks: their addresses.
    async fn healthy(&mut self) -> Outcome<Vec<String>> {
        let (context, setup, wanted) = (self.context, self.setup, self.wanted);
        let aws = context.aws()?;
        let mut progress = Progress::default();
        let mut whole_since = None;
        loop {
            let Some((group, targets)) = targets::worst(context, &setup.traffic.new_target_groups()).await? else {
                return self.registered().await;
            };
            let standing = Standing::of(&targets);
            let mut in_the_way = None;
            if standing.is_whole(wanted) {
                let whole_for = self.elapsed().saturating_sub(*whole_since.get_or_insert(self.elapsed()));
                let late = whole_for >= context.polling().aws_time(TASKS_LISTED_WITHIN);
                let tasks = context.read(aws.ecs.tasks(&setup.cluster, &setup.service, TaskState::Running)).await?;
                match names(&tasks, &targets, wanted, late) {
                    Ok(names) => {
                        context.console().info(format!("{} of {wanted} targets are healthy", standing.healthy));
                        return Ok(names);
                    }
                    Err(reason) => in_the_way = Some(reason),
                }
            } else {
                whole_since = None;
            }
            let moved = progress.say(self.elapsed(), standing.healthy, || targets::say(context, standing.healthy, wanted));
            let service = self.look().await?;
            let news = self.events.tell(context.console(), &service);
            self.refuse_hopeless(&service, Some(targets.clone())).await?;
            // ECS takes tasks away that fail the load balancer's health check, and starts others.
            self.say_running(service.running);
            if !self.again(moved || news).await? {
                let limit = self.elapsed();
                return Err(match in_the_way {
                    Some(reason) => self.too_slow(&reason, &service).await,
                    None => targets::not_healthy(&group, standing, wanted, &targets, limit).into(),
                });
            }
        }
    }

    /// Where DNS leads the traffic there are no targets: waits until every task is registered where it is found. Gives the tasks'
    /// addresses.
    async fn registered(&mut self) -> Outcome<Vec<String>> {
        let (context, setup, wanted) = (self.context, self.setup, self.wanted);
        let aws = context.aws()?;
        let Some(dns) = setup.traffic.dns() else { return Ok(Vec::new()) };
        let mut progress = Progress::default();
        let mut whole_since = None;
        loop {
            let tasks = context.read(aws.ecs.tasks(&setup.cluster, &setup.service, TaskState::Running)).await?;
            let registered = context.read(aws.registries.addresses(&dns.new.id)).await?;
            let mut names: Vec<String> =
                tasks.iter().filter_map(|task| task.address.clone()).filter(|address| registered.contains(address)).collect();
            let all = u32::try_from(registered.len()).unwrap_or(u32::MAX);
            let mut there = u32::try_from(names.len()).unwrap_or(u32::MAX);
            if all >= wanted && there < wanted {
                // As many as are wanted, and AWS does not list the tasks: not yet, or they have no address of their own.
                let whole_for = self.elapsed().saturating_sub(*whole_since.get_or_insert(self.elapsed()));
                if whole_for >= context.polling().aws_time(TASKS_LISTED_WITHIN) {
                    (names, there) = (registered, all);
                }
            }
            if there >= wanted {
                context.console().info(format!("{there} of {wanted} tasks are registered in {}", dns.new.name));
                return Ok(names);
            }
            let moved = progress.say(self.elapsed(), there, || {
                context.console().info(format!("Waiting for tasks to be registered. {there}/{wanted} registered ..."));
            });
            let service = self.look().await?;
            let news = self.events.tell(context.console(), &service);
            self.refuse_hopeless(&service, Some(Vec::new())).await?;
            self.say_running(service.running);
            if !self.again(moved || news).await? {
                let reason = format!("{there} of {wanted} tasks are registered in {}", dns.new.name);
                return Err(self.too_slow(&reason, &service).await);
            }
        }
    }

    /// Fails at once when the tasks will not come up.
    async fn refuse_hopeless(&mut self, service: &Service, targets: Option<Vec<Target>>) -> Outcome<()> {
        if service.desired < self.wanted {
            let message = format!(
                "The desired count of service {} was set to {} and is {} now.",
                service.name, self.wanted, service.desired
            );
            let hint = "Another tool, person or scaling policy changes it; stop that, and deploy again.";
            return Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into());
        }
        let now = self.elapsed();
        if self.moved.0 != service.running {
            self.moved = (service.running, now);
        }
        let targets = match targets {
            Some(targets) => targets,
            // A task is a target as soon as it runs.
            None if service.running > 0 => {
                let groups = self.setup.traffic.new_target_groups();
                targets::worst(self.context, &groups).await?.map(|(_, targets)| targets).unwrap_or_default()
            }
            None => Vec::new(),
        };
        self.sick.look(now, &targets);
        if !failing::suspicious(service, self.resized_at_ms) && !self.sick.any() {
            return Ok(());
        }
        let stopped = self.stopped().await?;
        let stalled = now.saturating_sub(self.moved.1) >= self.context.polling().aws_time(STALLED_AFTER);
        let evidence =
            Evidence { service, wanted: self.wanted, since_ms: self.resized_at_ms, stopped: &stopped, sick: &self.sick, stalled };
        match failing::verdict(&evidence) {
            Some(verdict) => Err(Failure::uncertain(FailureKind::Application, verdict.message).hint(verdict.hint).into()),
            None => Ok(()),
        }
    }

    async fn stopped(&self) -> Outcome<Vec<Task>> {
        let ecs = &self.context.aws()?.ecs;
        let mut stopped = self.context.read(ecs.tasks(&self.setup.cluster, &self.setup.service, TaskState::Stopped)).await?;
        stopped.retain(|task| task.created_at_ms.is_none_or(|at| at >= self.resized_at_ms));
        Ok(stopped)
    }

    /// The failure for a start that took too long, with the last thing ECS said that sounds like a reason.
    async fn too_slow(&self, state: &str, service: &Service) -> crate::executor::Halt {
        let telling = ["unable to", "is unhealthy", "could not launch", "throttled", "not healthy"];
        let last = service
            .events
            .iter()
            .filter(|event| event.at_ms >= self.resized_at_ms)
            .find(|event| telling.iter().any(|words| event.message.contains(words)));
        let said = last.map(|event| format!(" ECS says: {}", event.message)).unwrap_or_default();
        let message = format!(
            "Service {} did not reach a steady state within {} s: {state}.{said}",
            service.name,
            self.elapsed().as_secs()
        );
        let failure = Failure::uncertain(FailureKind::Timeout, message);
        failure
            .hint("Look at the service's events and stopped tasks; raise the setup's steady-state timeout if it is only slow.")
            .into()
    }
}

/// What the running tasks are called: by their addresses, each of which has to be a healthy target; by their ids, if they have no
/// address of their own (they are targets by their instance). `late`: AWS had time enough to list them all; the healthy targets
/// are told instead of what is missing.
fn names(tasks: &[Task], targets: &[Target], wanted: u32, late: bool) -> Result<Vec<String>, String> {
    let healthy: Vec<&Target> = targets.iter().filter(|target| target.is_healthy()).collect();
    let is_target = |address: &str| healthy.iter().any(|target| target.id == address);
    if let Some(address) = tasks.iter().filter_map(|task| task.address.as_deref()).find(|address| !is_target(address)) {
        return Err(format!("the task at {address} is not a healthy target"));
    }
    let listed = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
    match listed >= wanted {
        true => Ok(tasks.iter().map(|task| task.address.clone().unwrap_or_else(|| task.id().to_owned())).collect()),
        false if late => Ok(healthy.iter().map(|target| target.id.clone()).collect()),
        false => Err(format!("AWS lists {listed} of {wanted} tasks")),
    }
}

/// Whether the service's counts are those of a steady service.
fn settled(service: &Service, wanted: u32) -> bool {
    let [only] = service.deployments.as_slice() else { return false };
    only.status == "PRIMARY"
        && only.rollout_state.as_deref().is_none_or(|state| state == "COMPLETED")
        && service.running >= wanted
        && service.pending == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::model::ServiceDeployment;

    #[test]
    fn settled_is_one_deployment_done_and_nothing_pending() {
        let primary = |state: Option<&str>| ServiceDeployment {
            status: "PRIMARY".into(),
            rollout_state: state.map(Into::into),
            ..ServiceDeployment::default()
        };
        let service = |deployments, running, pending| Service { deployments, running, pending, ..Service::default() };
        assert!(settled(&service(vec![primary(Some("COMPLETED"))], 2, 0), 2));
        assert!(settled(&service(vec![primary(None)], 2, 0), 2));
        assert!(!settled(&service(vec![primary(Some("IN_PROGRESS"))], 2, 0), 2));
        assert!(!settled(&service(vec![primary(None)], 1, 1), 2));
        assert!(!settled(&service(vec![primary(None), primary(None)], 2, 0), 2));
    }

    #[test]
    fn every_listed_task_has_to_be_a_healthy_target() {
        let task =
            |address: Option<&str>| Task { arn: "arn:task/c/abc".into(), address: address.map(Into::into), ..Task::default() };
        let target = |id: &str| Target { id: id.into(), port: None, state: "healthy".into(), reason: None, description: None };
        let targets = [target("10.0.0.1"), target("10.0.0.2")];
        let both = [task(Some("10.0.0.1")), task(Some("10.0.0.2"))];
        assert_eq!(names(&both, &targets, 2, false), Ok(vec!["10.0.0.1".into(), "10.0.0.2".into()]));
        assert_eq!(names(&[task(None)], &targets, 1, false), Ok(vec!["abc".into()]));
        assert_eq!(names(&both[..1], &targets, 2, false), Err("AWS lists 1 of 2 tasks".into()));
        assert_eq!(names(&both[..1], &targets, 2, true), Ok(vec!["10.0.0.1".into(), "10.0.0.2".into()]));
        let replaced = [task(Some("10.0.0.1")), task(Some("10.0.0.9"))];
        assert_eq!(names(&replaced, &targets, 2, true), Err("the task at 10.0.0.9 is not a healthy target".into()));
    }
}
