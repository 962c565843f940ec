//! Rollback Containers: old to its recorded count, new to 0. Never while production forwards to the new version.

use std::time::Duration;

use super::super::{counts, routes, scaling, step::short_name};
use crate::executor::{Outcome, StepContext};

pub(super) async fn undo(context: &StepContext) -> Outcome<()> {
    let console = context.console();
    let Some(setup) = context.assignment().setup() else {
        console.info("No setup has succeeded: no service was resized, nothing to undo");
        return Ok(());
    };
    routes::refuse_if_new_is_live(context, setup).await?;
    let cluster = short_name(&setup.cluster);
    if let Some(old) = &setup.old {
        let now = counts::look_at(context, &setup.cluster, &old.name).await?;
        if now.desired < old.desired_count {
            console.info(format!(
                "Resize service [{}] in cluster [{cluster}] from {} to {} instances",
                old.name, now.desired, old.desired_count
            ));
            counts::set_desired(context, &setup.cluster, &old.name, old.desired_count).await?;
            let limit = Duration::from_secs(u64::from(setup.steady_state_timeout_minutes) * 60);
            counts::tasks_running(context, &setup.cluster, &old.name, old.desired_count, limit).await?;
        } else {
            console.info(format!("Service [{}] in cluster [{cluster}] stays at {} instances", old.name, now.desired));
        }
        scaling::restore(context, setup, old).await?;
    }
    let Some(new) = counts::look_for(context, &setup.cluster, &setup.service).await? else {
        console.info(format!("Service [{}] does not exist any more: nothing to resize", setup.service));
        return Ok(());
    };
    scaling::remove(context, &setup.cluster, &setup.service).await?;
    console.info(format!("Resize service [{}] in cluster [{cluster}] from {} to 0 instances", setup.service, new.desired));
    let now = counts::put_desired(context, &setup.cluster, &setup.service, 0).await?;
    counts::tasks_gone(context, &setup.cluster, &setup.service, now).await?;
    console.info("Completed operation");
    console.info("----------");
    Ok(())
}
