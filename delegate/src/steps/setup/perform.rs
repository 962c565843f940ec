//! The order of the setup.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    names::service_name,
    step::{Checkpoint, DesiredCount, LoadBalancerSetup, OldService, SetupOutput, StepOutput},
};
use serde_json::Value;

use super::{
    super::{Step, counts, markers, step::short_name},
    checks::{self, Ready},
    container,
    look::look,
    service_definition::{self, Decided},
    task_definition, undo,
};
use crate::{
    aws::model::{Service, TaskDefinition},
    executor::{Halt, Outcome, Repeat, StepContext},
};

/// How long a listener that was just made may take to be known to ECS.
const ASSOCIATION_WITHIN: Duration = Duration::from_secs(60);
/// Of the newest revisions so many are looked at for one that an earlier attempt registered.
const REVISIONS_LOOKED_AT: u8 = 10;

/// *ECS Blue Green Load Balancer Setup*.
pub(in super::super) struct SetUpLoadBalancer<'a> {
    pub(in super::super) input: &'a LoadBalancerSetup,
}

#[async_trait]
impl Step for SetUpLoadBalancer<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        let (input, console) = (self.input, context.console());
        let infra = &context.assignment().infrastructure;
        let cluster = short_name(&infra.cluster);
        console.info(format!("Cluster Name: {cluster}"));
        console.info(format!("Docker Image Name: {}", input.image));
        console.info(format!("Container Name: {}", input.container_name));

        let ready = self.look_before_touching(context).await?;
        let old = self.record_old(context, &ready).await?;

        console.info(format!("Creating task definition {} with container image {}", input.family, input.image));
        let revision = self.register(context).await?;
        let service = service_name(&input.family, revision.revision);
        delete_green(context, &ready.green).await?;

        console.info("Setting load balancer to service");
        console.info(format!("Creating ECS service {service} in cluster {cluster}"));
        let created = self.create(context, &ready, &service, &revision).await?;

        console.info("Checking for Auto-Scalar config for existing services");
        console.info("No Auto-scalar config found for existing services");
        console.info(
            "(Segue registers no auto scaling yet, so there is none of its own; targets registered otherwise are left alone.)",
        );
        console.info(format!("Load Balancer Name: {}", ready.balancer.name));
        console.info(format!("Target Group ARN: {}", ready.stage_group.arn));

        Ok(StepOutput::Setup(Box::new(SetupOutput {
            cluster: infra.cluster.clone(),
            service,
            service_arn: created.arn,
            task_definition: revision.arn,
            image: input.image.clone(),
            desired_count: desired(input.desired, old.as_ref()),
            container: ready.container.container,
            container_port: ready.container.port,
            old,
            load_balancer: ready.balancer.arn,
            load_balancer_name: ready.balancer.name,
            load_balancer_dns: ready.balancer.dns_name,
            prod_port: ready.prod.port,
            prod_protocol: ready.prod.protocol,
            prod_listener: ready.prod.arn,
            stage_port: ready.stage.port,
            stage_protocol: ready.stage.protocol,
            stage_listener: ready.stage.arn,
            new_target_group: ready.stage_group.arn,
            old_target_group: ready.prod_group.arn,
            steady_state_timeout_minutes: input.steady_state_timeout_minutes,
        })))
    }

    async fn undo(&self, context: &StepContext) -> Outcome<()> {
        undo::undo(self.input, context).await
    }
}

impl SetUpLoadBalancer<'_> {
    async fn look_before_touching(&self, context: &StepContext) -> Outcome<Ready> {
        let (input, console) = (self.input, context.console());
        let infra = &context.assignment().infrastructure;
        let scene = look(context, input, infra).await?;
        let deployment = context.assignment().task.deployment;
        let ready = checks::check(input, infra, deployment, &scene).map_err(|findings| {
            let one = findings.len() == 1;
            Failure::refused(FailureKind::Application, findings.join("\n"))
                .hint(format!("Nothing was changed. Correct {} and deploy again.", if one { "this" } else { "these" }))
        })?;
        for overruled in service_definition::overruled(input) {
            console.warn(overruled);
        }
        let images = container::containers(&input.task_definition);
        if !images.iter().any(|container| container.get("image").is_none() || container["image"] == *input.image) {
            console.warn(format!("No container of the task definition uses the image {}.", input.image));
        }
        if ready.old.is_none() && !scene.prod_targets.is_empty() {
            console.warn(format!(
                "{} targets in the production target group {} belong to no running service of this line; they are left alone.",
                scene.prod_targets.len(),
                ready.prod_group.name
            ));
        }
        Ok(ready)
    }

    /// How production stood before anything was touched: as an earlier attempt recorded it, or as it stands now.
    async fn record_old(&self, context: &StepContext, ready: &Ready) -> Outcome<Option<OldService>> {
        let recorded = context.checkpoints().iter().find_map(|checkpoint| match checkpoint {
            Checkpoint::ProductionRecorded { prod_target_group, stage_target_group, old } => {
                Some((prod_target_group, stage_target_group, old))
            }
            _ => None,
        });
        if let Some((prod, stage, old)) = recorded {
            if (prod, stage) != (&ready.prod_group.arn, &ready.stage_group.arn) {
                let message = format!(
                    "The listeners changed while this step was interrupted: production forwarded to {prod} and stage to {stage}; now \
                     to {} and {}.",
                    ready.prod_group.arn, ready.stage_group.arn
                );
                let hint = "Another tool or person changes them. Stop that, and deploy again.";
                return Err(Failure::refused(FailureKind::Application, message).hint(hint).into());
            }
            return Ok(old.clone());
        }
        let old = ready.old.as_ref().map(|service| OldService {
            name: service.name.clone(),
            arn: service.arn.clone(),
            desired_count: service.desired,
            task_definition: service.task_definition.clone(),
            bg_version: markers::colour(service).map(str::to_owned),
        });
        let checkpoint = Checkpoint::ProductionRecorded {
            prod_target_group: ready.prod_group.arn.clone(),
            stage_target_group: ready.stage_group.arn.clone(),
            old: old.clone(),
        };
        context.checkpoint(checkpoint).await?;
        Ok(old)
    }

    /// Registers the revision, or adopts the one that an earlier attempt registered.
    async fn register(&self, context: &StepContext) -> Outcome<TaskDefinition> {
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
            revision = self.registered_before(context).await?;
            if let Some(revision) = &revision {
                context.console().info(format!("Going on with {}, which was registered before", short_name(&revision.arn)));
            }
        }
        let revision = match revision {
            Some(revision) => revision,
            None => {
                let document = task_definition::request(self.input, context.assignment().task.deployment);
                context.write(Repeat::Harmful, || ecs.register_task_definition(&document)).await?
            }
        };
        let checkpoint = Checkpoint::TaskDefinitionRegistered { arn: revision.arn.clone(), revision: revision.revision };
        context.checkpoint(checkpoint).await?;
        Ok(revision)
    }

    async fn registered_before(&self, context: &StepContext) -> Outcome<Option<TaskDefinition>> {
        let ecs = &context.aws()?.ecs;
        let newest = context.read(ecs.newest_revisions(&self.input.family, REVISIONS_LOOKED_AT)).await?;
        let looks = futures::future::try_join_all(newest.iter().map(|arn| ecs.task_definition(arn)));
        let deployment = context.assignment().task.deployment;
        Ok(context.read(looks).await?.into_iter().find(|revision| markers::made_by(&revision.tags, deployment)))
    }

    /// Creates the service at 0, or adopts the one that an earlier attempt created.
    async fn create(&self, context: &StepContext, ready: &Ready, service: &str, revision: &TaskDefinition) -> Outcome<Service> {
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
                    container: &ready.container,
                    target_group: &ready.stage_group.arn,
                    other_target_group: &ready.prod_group.arn,
                    network_mode: task_definition::network_mode(&self.input.task_definition),
                };
                create_service(context, &service_definition::request(self.input, infra, &decided)).await?
            }
        };
        let checkpoint = Checkpoint::ServiceCreated { name: service.to_owned(), arn: created.arn.clone() };
        context.checkpoint(checkpoint).await?;
        Ok(created)
    }
}

/// How many tasks the new version is to have.
fn desired(wanted: DesiredCount, old: Option<&OldService>) -> u32 {
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
        let failure = match context.write(Repeat::Harmless, || ecs.create_service(document)).await {
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

/// Deletes what the line no longer needs.
async fn delete_green(context: &StepContext, green: &[Service]) -> Outcome<()> {
    let ecs = &context.aws()?.ecs;
    let cluster = &context.assignment().infrastructure.cluster;
    for service in green {
        context.console().info(format!("Deleting Old Service {{Green Version}}: {}", service.name));
        match context.write(Repeat::Harmless, || ecs.delete_service(cluster, &service.name)).await {
            Ok(()) => {}
            Err(Halt::Failed(failure)) if is_gone(&failure) => {}
            Err(halt) => return Err(halt),
        }
        context.console().info("Deletion successful");
    }
    Ok(())
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
        };
        let same = DesiredCount::SameAsRunning { max: 2 };
        assert_eq!(desired(same, None), 2);
        assert_eq!(desired(same, Some(&old(5))), 5);
        assert_eq!(desired(DesiredCount::Fixed(3), Some(&old(5))), 3);
    }
}
