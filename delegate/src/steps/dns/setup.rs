//! ECS Blue Green Route 53 Setup: look at everything before touching anything, then make the new version at 0 in the registry that
//! customers are not led to, and remember the old one.

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    names::service_name,
    step::{DnsSetup, OldService, SetupOutput, StepOutput, Traffic},
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

/// *ECS Blue Green Route 53 Setup*.
pub(in super::super) struct SetUpRoute53<'a> {
    pub(in super::super) input: &'a DnsSetup,
}

#[async_trait]
impl Step for SetUpRoute53<'_> {
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
        if let Some(current) = &ready.traffic.old {
            console.info(format!("Current ECS service uses: [{}]", current.arn));
        }
        console.info(format!("Using: [{}] for new service.", ready.traffic.new.arn));
        make.delete_green(&ready.green).await?;

        console.info(format!("Creating ECS service {service} in cluster {cluster}"));
        let created = make.create(&service, &revision, Entrance::Registry(&ready.registry)).await?;

        scaling::say(context, old.as_ref());

        let traffic = Traffic::Dns(Box::new(ready.traffic));
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

impl SetUpRoute53<'_> {
    async fn look_before_touching(&self, context: &StepContext) -> Outcome<Ready> {
        let infra = &context.assignment().infrastructure;
        let scene = look(context, self.input, infra).await?;
        let deployment = context.assignment().task.deployment;
        let ready = checks::check(self.input, infra, deployment, &scene).map_err(|findings| {
            let these = if findings.len() == 1 { "this" } else { "these" };
            Failure::refused(FailureKind::Application, findings.join("\n"))
                .hint(format!("Nothing was changed. Correct {these} and deploy again."))
        })?;
        version::told_before(context, &self.input.version);
        Ok(ready)
    }
}

/// How production stood before anything was touched: as an earlier attempt recorded it, or as it stands now.
async fn record_old(make: &Maker<'_>, ready: &Ready) -> Outcome<Option<OldService>> {
    let now = Traffic::Dns(Box::new(ready.traffic.clone()));
    let Some((recorded, old)) = version::recorded_production(make.context) else {
        return make.record(&now, ready.old.as_ref()).await;
    };
    if *recorded != now {
        let message = format!(
            "The records of {} changed while this step was interrupted: the new version was to be found in {} and is now to be in {}.",
            ready.traffic.alias,
            recorded.dns().map(|dns| dns.new.name.as_str()).unwrap_or_default(),
            ready.traffic.new.name
        );
        let hint = "Another tool or person changes them. Stop that, and deploy again.";
        return Err(Failure::refused(FailureKind::Application, message).hint(hint).into());
    }
    Ok(old.clone())
}
