//! Taking the setup back: the new service stays, at 0 and tagged green, until the line's next setup deletes it; nothing else of the
//! setup is in anybody's way.

use domain::{
    names::{revision_of, service_name},
    step::{Checkpoint, NewVersion},
};

use super::super::{counts, markers, routes, scaling};
use crate::{
    aws::{budget::Operation, model::Service},
    executor::{Outcome, Repeat, StepContext},
};

pub(in super::super) async fn undo(version: &NewVersion, context: &StepContext) -> Outcome<()> {
    let console = context.console();
    let cluster = &context.assignment().infrastructure.cluster;
    let Some(service) = created(version, context).await? else {
        console.info("The setup created no service: nothing to undo");
        return Ok(());
    };
    if service.desired > 0 || service.running > 0 {
        if let Some(setup) = context.assignment().setup() {
            routes::refuse_if_new_is_live(context, setup).await?;
        }
        let ecs = &context.aws()?.ecs;
        scaling::remove(context, cluster, &service.name).await?;
        console.info(format!("Downsizing service: {}", service.name));
        context.write(Operation::ChangeService, Repeat::Harmless, || ecs.set_desired_count(cluster, &service.name, 0)).await?;
        let now = counts::look_at(context, cluster, &service.name).await?;
        counts::tasks_gone(context, cluster, &service.name, now).await?;
    }
    markers::paint_back(context, &service.name, &service.arn, markers::GREEN).await?;
    console.info(format!("Service {} stays at 0 instances; the next setup deletes it", service.name));
    Ok(())
}

/// The service that this deployment created, if it did: by what was recorded, or, when the record of the last call is missing,
/// by its tag.
async fn created(version: &NewVersion, context: &StepContext) -> Outcome<Option<Service>> {
    let cluster = &context.assignment().infrastructure.cluster;
    let deployment = context.assignment().task.deployment;
    let mut named = None;
    let (mut touched, mut made) = (false, None);
    for checkpoint in context.checkpoints() {
        match checkpoint {
            Checkpoint::ProductionRecorded { .. } => touched = true,
            Checkpoint::TaskDefinitionRegistered { revision, .. } => named = Some(service_name(&version.family, *revision)),
            Checkpoint::ServiceCreated { name, .. } => made = Some(name.clone()),
            _ => {}
        }
    }
    if let Some(name) = made {
        let found = counts::look_for(context, cluster, &name).await?;
        return Ok(found.filter(|service| markers::made_by(&service.tags, deployment)));
    }
    let names = match (named, touched) {
        (Some(name), _) => vec![name],
        (None, false) => return Ok(None),
        (None, true) => {
            let ecs = &context.aws()?.ecs;
            let mut names = context.read(ecs.service_names(cluster)).await?;
            names.retain(|name| revision_of(&version.family, name).is_some());
            names
        }
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = counts::look(context, cluster, &names).await?;
    Ok(found.into_iter().find(|service| service.is_active() && markers::made_by(&service.tags, deployment)))
}
