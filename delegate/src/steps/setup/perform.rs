//! The order of the setup.

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    names::service_name,
    step::{LoadBalancerSetup, OldService, RoutePair, SetupOutput, StepOutput, Traffic},
};

use super::{
    super::{
        Step, scaling,
        step::short_name,
        version::{self, Entrance, Maker},
    },
    checks::{self, Ready},
    look::look,
};
use crate::executor::{Outcome, StepContext};

/// *ECS Blue Green Load Balancer Setup*.
pub(in super::super) struct SetUpLoadBalancer<'a> {
    pub(in super::super) input: &'a LoadBalancerSetup,
}

#[async_trait]
impl Step for SetUpLoadBalancer<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        let (new, console) = (&self.input.version, context.console());
        let infra = &context.assignment().infrastructure;
        let cluster = short_name(&infra.cluster);
        console.info(format!("Cluster Name: {cluster}"));
        console.info(format!("Docker Image Name: {}", new.image));
        console.info(format!("Container Name: {}", new.container_name));

        let ready = self.look_before_touching(context).await?;
        let make = Maker { version: new, context };
        let old = record_old(&make, &ready).await?;

        console.info(format!("Creating task definition {} with container image {}", new.family, new.image));
        let revision = make.register().await?;
        let service = service_name(&new.family, revision.revision);
        make.delete_green(&ready.green).await?;

        console.info("Setting load balancer to service");
        console.info(format!("Creating ECS service {service} in cluster {cluster}"));
        let created = make.create(&service, &revision, Entrance::TargetGroups(&ready.pairs)).await?;

        scaling::say(context, old.as_ref());
        for pair in &ready.pairs {
            console.info(format!("Load Balancer Name: {}", pair.load_balancer_name));
            console.info(format!("Target Group ARN: {}", pair.new_target_group));
        }

        let traffic = Traffic::LoadBalancer(ready.pairs);
        Ok(StepOutput::Setup(Box::new(SetupOutput {
            cluster: infra.cluster.clone(),
            service,
            service_arn: created.arn,
            task_definition: revision.arn,
            image: new.image.clone(),
            desired_count: version::desired(new.desired, old.as_ref()),
            auto_scaling: scaling::wanted(new.auto_scaling.as_ref(), old.as_ref(), &traffic),
            old,
            traffic,
            steady_state_timeout_minutes: new.steady_state_timeout_minutes,
        })))
    }

    async fn undo(&self, context: &StepContext) -> Outcome<()> {
        version::undo(&self.input.version, context).await
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
        version::told_before(context, &input.version);
        if ready.old.is_none() && !scene.prod_targets.is_empty() {
            console.warn(format!(
                "{} targets in the production target group {} belong to no running service of this line; they are left alone.",
                scene.prod_targets.len(),
                ready.prod_group
            ));
        }
        Ok(ready)
    }
}

/// How production stood before anything was touched: as an earlier attempt recorded it, or as it stands now.
async fn record_old(make: &Maker<'_>, ready: &Ready) -> Outcome<Option<OldService>> {
    let Some((recorded, old)) = version::recorded_production(make.context) else {
        return make.record(&Traffic::LoadBalancer(ready.pairs.clone()), ready.old.as_ref()).await;
    };
    let groups = |pair: &RoutePair| (pair.prod.arn().to_owned(), pair.old_target_group.clone(), pair.new_target_group.clone());
    let (before, now): (Vec<_>, Vec<_>) =
        (recorded.pairs().iter().map(groups).collect(), ready.pairs.iter().map(groups).collect());
    if let Some(((_, prod, stage), (_, prod_now, stage_now))) = before.iter().zip(&now).find(|(before, now)| before != now) {
        let message = format!(
            "The listeners changed while this step was interrupted: production forwarded to {prod} and stage to {stage}; now to \
             {prod_now} and {stage_now}."
        );
        let hint = "Another tool or person changes them. Stop that, and deploy again.";
        return Err(Failure::refused(FailureKind::Application, message).hint(hint).into());
    }
    Ok(old.clone())
}
