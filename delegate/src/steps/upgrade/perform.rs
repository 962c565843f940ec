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
        step::{setup_of, short_name},
        targets::{self, Standing},
    },
    failing, undo,
};
use crate::{
    aws::model::{Service, Task, TaskState},
    executor::{Outcome, StepContext, Waiting},
};

/// A service that is steady by its counts is believed after this long without ECS saying so (it does not repeat itself for hours).
const STEADY_WITHOUT_EVENT: Duration = Duration::from_secs(90);

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
        start.wait = Some(context.waiting(format!("steady {}", short_name(&setup.cluster)), limit));
        let service = start.running(service).await?;
        console.info("Waiting for service to be in steady state...");
        start.steady(service).await?;
        console.info("Service has reached a steady state");
        let tasks = start.healthy().await?;
        start.ended();

        console.info("No Autoscalar config provided.");
        console.info("");
        console.info("Container IDs:");
        let addresses: Vec<String> =
            tasks.iter().map(|task| task.address.clone().unwrap_or_else(|| task.id().to_owned())).collect();
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
            console.info("No Autoscalar config provided.");
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
    events: Events,
    progress: Progress,
    wait: Option<Waiting<'a>>,
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
                // Rounded up: an event in the same second is older than the resize.
                at_seconds: resized_at_ms.div_euclid(1_000) + i64::from(resized_at_ms.rem_euclid(1_000) > 0),
            };
            context.checkpoint(checkpoint).await?;
        }
        Ok(Self { context, setup, wanted, resized_at_ms, events, progress: Progress::default(), wait: None })
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
            let news = self.events.tell(self.context.console(), &service);
            let (context, wanted, running) = (self.context, self.wanted, service.running);
            let moved = self.progress.say(self.elapsed(), running, || counts::pending_line(context, running, wanted));
            if running >= wanted {
                return Ok(service);
            }
            self.refuse_hopeless(&service).await?;
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
            self.refuse_hopeless(&service).await?;
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

    /// Waits until every task is a healthy target. Gives the running tasks.
    async fn healthy(&mut self) -> Outcome<Vec<Task>> {
        let (context, setup, wanted) = (self.context, self.setup, self.wanted);
        let aws = context.aws()?;
        let mut progress = Progress::default();
        loop {
            let targets = targets::look(context, &setup.new_target_group).await?;
            let standing = Standing::of(&targets);
            if standing.is_whole(wanted) {
                let tasks = context.read(aws.ecs.tasks(&setup.cluster, &setup.service, TaskState::Running)).await?;
                let is_target = |address: &String| targets.iter().any(|target| target.is_healthy() && target.id == *address);
                // Tasks without an address of their own are targets by their instance: the count has to do for them.
                if tasks.iter().filter_map(|task| task.address.as_ref()).all(is_target) && tasks.len() >= wanted as usize {
                    context.console().info(format!("{} of {wanted} targets are healthy", standing.healthy));
                    return Ok(tasks);
                }
            }
            let moved = progress.say(self.elapsed(), standing.healthy, || targets::say(context, standing.healthy, wanted));
            let service = self.look().await?;
            let news = self.events.tell(context.console(), &service);
            self.refuse_hopeless(&service).await?;
            if service.running < wanted {
                // ECS takes tasks away that fail the load balancer's health check.
                counts::pending_line(context, service.running, wanted);
            }
            if !self.again(moved || news).await? {
                let limit = self.elapsed();
                return Err(targets::not_healthy(&setup.new_target_group, standing, wanted, &targets, limit).into());
            }
        }
    }

    /// Fails at once when the tasks will not come up.
    async fn refuse_hopeless(&self, service: &Service) -> Outcome<()> {
        if service.desired < self.wanted {
            let message = format!(
                "The desired count of service {} was set to {} and is {} now.",
                service.name, self.wanted, service.desired
            );
            let hint = "Another tool, person or scaling policy changes it; stop that, and deploy again.";
            return Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into());
        }
        if !failing::suspicious(service) {
            return Ok(());
        }
        let stopped = self.stopped().await?;
        match failing::verdict(service, &stopped) {
            Some(message) => {
                let hint = "Look at the container's own log of that task. Nothing of production was changed.";
                Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into())
            }
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
}
