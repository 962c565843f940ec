//! The step: refuse, or hand on the setup with old and new in each other's places.

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::{PreviousVersionSetup, StepOutput},
};

use super::{super::Step, look::previous_version};
use crate::executor::{Outcome, StepContext};

/// *Previous Version Setup*.
pub(in super::super) struct FindPrevious<'a> {
    pub(in super::super) input: &'a PreviousVersionSetup,
}

#[async_trait]
impl Step for FindPrevious<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        let console = context.console();
        console.info(format!("Rolling back deployment {}", self.input.deployment));
        let standing = context.read(previous_version(context.aws()?, self.input)).await?;
        let refused = |findings: String| {
            Failure::refused(FailureKind::Application, findings)
                .hint("Nothing was changed. Deploy the version that is wanted: segue deploy WORKFLOW --artifact-tag TAG")
        };
        if !standing.obstacles.is_empty() {
            return Err(refused(standing.obstacles.join("\n")).into());
        }
        let Some(setup) = self.input.mirrored(&standing) else {
            return Err(refused("The deployment had no previous version.".to_owned()).into());
        };
        for remark in &standing.remarks {
            console.warn(remark.clone());
        }
        console.info(format!("Production is served by {} ({} instances)", self.input.setup.service, standing.serving_count));
        console.info(format!("The previous version is {}; it gets {} instances", setup.service, setup.desired_count));
        console.info(format!("Docker Image Name: {}", setup.image));
        Ok(StepOutput::Setup(Box::new(setup)))
    }

    async fn undo(&self, context: &StepContext) -> Outcome<()> {
        context.console().info("Nothing was changed: nothing to undo");
        Ok(())
    }
}
