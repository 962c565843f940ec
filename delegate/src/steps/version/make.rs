//! Making the new version: registering its task definition, clearing away what the line no longer needs, creating its service at 0.
//! Each is adopted where an earlier attempt of the step made it already.

use std::time::Duration;

use domain::{
    failure::{Failure, FailureKind},
    step::{Checkpoint, DesiredCount, NewVersion, OldService, Traffic},
};
use serde_json::Value;

use super::{
    super::{counts, markers, scaling, step::short_name},
    container,
    service_definition::{self, Decided, Entrance},
    task_definition,
};
use crate::{
    aws::{
        budget::Operation,
        model::{Service, TaskDefinition},
    },
    executor::{Halt, Outcome, Repeat, StepContext},
};

/// How long a listener that was just made may take to be known to ECS.
const ASSOCIATION_WITHIN: Duration = Duration::from_secs(60);
/// Of the newest revisions so many are looked at for one that an earlier attempt registered.
const REVISIONS_LOOKED_AT: u8 = 10;

/// How production stood before anything was touched, as an earlier attempt of this step recorded it.
pub(in super::super) fn recorded_production(context: &StepContext) -> Option<(&Traffic, &Option<OldService>)> {
    context.checkpoints().iter().find_map(|checkpoint| match checkpoint {
        Checkpoint::ProductionRecorded { traffic, old } => Some((traffic, old)),
        _ => None,
    })
}

/// What is said of the user's documents before anything is made.
pub(in super::super) fn told_before(context: &StepContext, version: &NewVersion) {
    for overruled in service_definition::overruled(version) {
        context.console().warn(overruled);
    }
    let containers = container::containers(&version.task_definition);
    if !containers.iter().any(|container| container.get("image").is_none() || container["image"] == *version.image) {
        context.console().warn(format!("No container of the task definition uses the image {}.", version.image));
    }
}

/// Makes one version.
pub(in super::super) struct Maker<'a> {
    pub(in super::super) version: &'a NewVersion,
    pub(in super::super) context: &'a StepContext,
}

impl Maker<'_> {
    /// Records how production stands, unless an earlier attempt did; gives the version that serves it.
    pub(in super::super) async fn record(&self, traffic: &Traffic, old: Option<&Service>) -> Outcome<Option<OldService>> {
        let auto_scaling = match old {
            Some(service) => {
                let cluster = &self.context.assignment().infrastructure.cluster;
                scaling::look(self.context, cluster, &service.name, self.version.auto_scaling.is_some()).await?
            }
            None => None,
        };
        let old = old.map(|service| OldService {
            name: service.name.clone(),
            arn: service.arn.clone(),
            desired_count: service.desired,
            task_definition: service.task_definition.clone(),
            bg_version: markers::colour(service).map(str::to_owned),
            auto_scaling,
        });
        self.context.checkpoint(Checkpoint::ProductionRecorded { traffic: traffic.clone(), old: old.clone() }).await?;
        Ok(old)
    }

    /// Registers the revision, or adopts the one that an earlier attempt registered.
    pub(in super::super) async fn register(&self) -> Outcome<TaskDefinition> {
        let context = self.context;
        let ecs = &context.aws()?.ecs;
        let recorded = context.checkpoints().iter().find_map(|checkpoint| match checkpoint {
            Checkpoint::TaskDefinitionRegistered { arn, revision } => Some((arn.clone(), *revision)),
            _ => None,
        });
        if let Some((arn, revision)) = recorded {
            return Ok(TaskDefinition { arn, revision, tags: Default::default() });
        }
        let mut revision = None;
        if context.assignment().resumed {
            revision = self.registered_before().await?;
            if let Some(revision) = &revision {
                context.console().info(format!("Going on with {}, which was registered before", short_name(&revision.arn)));
            }
        }
        let revision = match revision {
            Some(revision) => revision,
            None => {
                let document = task_definition::request(self.version, context.assignment().task.deployment);
                context
                    .write(Operation::RegisterTaskDefinition, Repeat::Harmful, || ecs.register_task_definition(&document))
                    .await?
            }
        };
        let checkpoint = Checkpoint::TaskDefinitionRegistered { arn: revision.arn.clone(), revision: revision.revision };
        context.checkpoint(checkpoint).await?;
        Ok(revision)
    }

    async fn registered_before(&self) -> Outcome<Option<TaskDefinition>> {
        let context = self.context;
        let ecs = &context.aws()?.ecs;
        let newest = context.read(ecs.newest_revisions(&self.version.family, REVISIONS_LOOKED_AT)).await?;
        let looks = futures::future::try_join_all(newest.iter().map(|arn| ecs.task_definition(arn)));
        let deployment = context.assignment().task.deployment;
        Ok(context.read(looks).await?.into_iter().find(|revision| markers::made_by(&revision.tags, deployment)))
    }

    /// Creates the service at 0, or adopts the one that an earlier attempt created.
    pub(in super::super) async fn create(
        &self,
        service: &str,
        revision: &TaskDefinition,
        entrance: Entrance<'_>,
    ) -> Outcome<Service> {
        let context = self.context;
        let infra = &context.assignment().infrastructure;
        let task = context.assignment().task;
        let existing = counts::look(context, &infra.cluster, &[service]).await?.into_iter().find(Service::is_active);
        let created = match existing {
            Some(existing) if markers::made_by(&existing.tags, task.deployment) => {
                context.console().info(format!("Going on with {service}, which was created before"));
                existing
            }
            Some(_) => {
                let message = format!(
                    "An ECS service {service} exists in cluster {} already, and this deployment did not create it.",
                    infra.cluster
                );
                let hint = "Delete or rename it; Segue names services after the task definition's revision.";
                return Err(Failure::refused(FailureKind::Application, message).hint(hint).into());
            }
            None => {
                let decided = Decided {
                    task,
                    service,
                    task_definition: &revision.arn,
                    entrance,
                    network_mode: task_definition::network_mode(&self.version.task_definition),
                };
                create_service(context, &service_definition::request(self.version, infra, &decided)).await?
            }
        };
        let checkpoint = Checkpoint::ServiceCreated { name: service.to_owned(), arn: created.arn.clone() };
        context.checkpoint(checkpoint).await?;
        Ok(created)
    }

    /// Deletes what the line no longer needs.
    pub(in super::super) async fn delete_green(&self, green: &[Service]) -> Outcome<()> {
        let context = self.context;
        let ecs = &context.aws()?.ecs;
        let cluster = &context.assignment().infrastructure.cluster;
        for service in green {
            context.console().info(format!("Deleting Old Service {{Green Version}}: {}", service.name));
            match context.write(Operation::ChangeService, Repeat::Harmless, || ecs.delete_service(cluster, &service.name)).await {
                Ok(()) => {}
                Err(Halt::Failed(failure)) if is_gone(&failure) => {}
                Err(halt) => return Err(halt),
            }
            context.console().info("Deletion successful");
        }
        Ok(())
    }
}

/// How many tasks the new version is to have.
pub(in super::super) fn desired(wanted: DesiredCount, old: Option<&OldService>) -> u32 {
    match wanted {
        DesiredCount::Fixed(count) => count,
        DesiredCount::SameAsRunning { max } => old.map(|old| old.desired_count).filter(|count| *count > 0).unwrap_or(max),
    }
}

/// Creates the service. ECS may not know for a moment that a listener forwards to the target group, or that a role exists: those
/// two refusals are given a minute, by their text, since AWS has no code of their own for them.
async fn create_service(context: &StepContext, document: &Value) -> Outcome<Service> {
    let ecs = &context.aws()?.ecs;
    let mut waiting = context.waiting("create service", context.polling().aws_time(ASSOCIATION_WITHIN));
    loop {
        let failure = match context.write(Operation::ChangeService, Repeat::Harmless, || ecs.create_service(document)).await {
            Err(Halt::Failed(failure)) => failure,
            other => return other,
        };
        let text = failure.answer.as_ref().and_then(|answer| answer.message.as_deref()).unwrap_or_default();
        let passing = ["does not have an associated load balancer", "verify that the ECS service role being passed"];
        if !passing.iter().any(|part| text.contains(part)) || !waiting.again(false).await? {
            return Err(failure.into());
        }
        context.console().warn(format!("{} Trying again: AWS may not know it yet.", failure.message));
    }
}

/// Somebody else, or our own first try, deleted it already.
fn is_gone(failure: &Failure) -> bool {
    let code = failure.answer.as_ref().and_then(|answer| answer.code.as_deref());
    matches!(code, Some("ServiceNotFoundException" | "ServiceNotActiveException"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_follows_the_old_version_when_asked_to() {
        let old = |desired_count| OldService {
            name: String::new(),
            arn: String::new(),
            desired_count,
            task_definition: String::new(),
            bg_version: None,
            auto_scaling: None,
        };
        let same = DesiredCount::SameAsRunning { max: 2 };
        assert_eq!(desired(same, None), 2);
        assert_eq!(desired(same, Some(&old(5))), 5);
        assert_eq!(desired(DesiredCount::Fixed(3), Some(&old(5))), 3);
    }
}
