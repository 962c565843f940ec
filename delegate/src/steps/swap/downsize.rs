//! Taking the old version's tasks away: only after it is proved that production does without them.

use domain::step::{Checkpoint, OldService, SetupOutput};

use super::{
    super::{counts, routes, scaling},
    perform::still_ours,
    proof::prove,
};
use crate::{
    aws::model::Service,
    executor::{Outcome, StepContext},
};

pub(super) async fn downsize(context: &StepContext, setup: &SetupOutput, old: &OldService, probe: Option<&str>) -> Outcome<()> {
    let console = context.console();
    let now = counts::look(context, &setup.cluster, &[&old.name]).await?.into_iter().find(Service::is_active);
    let Some(now) = now else {
        console.warn(format!("The older service {} does not exist any more: nothing to downsize", old.name));
        return Ok(());
    };
    if now.desired > 0 {
        prove(context, setup, probe).await?;
        console.info("Production does without the older service");
        let started = context.checkpoints().iter().any(|checkpoint| matches!(checkpoint, Checkpoint::DownsizeStarted { .. }));
        if !started {
            context.checkpoint(Checkpoint::DownsizeStarted { service: old.name.clone(), from: now.desired }).await?;
        }
    }
    // Read last, right before the old tasks go: whoever moved production back meanwhile needs them.
    let pairs = setup.traffic.pairs();
    still_ours(pairs, &routes::look(context, pairs).await?)?;
    scaling::remove(context, &setup.cluster, &old.name).await?;
    console.info(format!("Downsizing Green Service: {}", old.name));
    let service = counts::set_desired(context, &setup.cluster, &old.name, 0).await?;
    console.info("Waiting: [30] seconds for the downsize to complete ECS services to synchronize");
    counts::tasks_gone(context, &setup.cluster, &old.name, service).await?;
    console.info(format!("Service {} is at 0 instances", old.name));
    Ok(())
}
