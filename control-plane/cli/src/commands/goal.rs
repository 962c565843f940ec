//! What a person or a pipeline waits for when a deployment is followed.

use domain::{
    deployment::{DeploymentStatus, DeploymentView, StepState},
    error::{Error, ErrorCode},
};

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Goal {
    /// Its end.
    Finished,
    /// Production was given the new version.
    TrafficShifted,
    /// A step of that name is done.
    Step(String),
}

impl Goal {
    /// What the command line says. A step may be named like one of the other words; nobody does.
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "finished" => Self::Finished,
            "traffic-shifted" => Self::TrafficShifted,
            step => Self::Step(step.to_owned()),
        }
    }

    /// Whether it is so, and the deployment still goes on.
    ///
    /// # Errors
    /// When the deployment has no such step: it would be waited for in vain.
    pub(super) fn is_reached(&self, view: &DeploymentView) -> Result<bool, Error> {
        if matches!(view.status, DeploymentStatus::Finished { .. }) {
            return Ok(false);
        }
        match self {
            Self::Finished => Ok(false),
            Self::TrafficShifted => Ok(view.shifted.is_some()),
            Self::Step(name) => match view.steps.iter().find(|step| step.name == *name) {
                Some(step) => Ok(matches!(step.state, StepState::Succeeded | StepState::Ignored)),
                None => {
                    let names: Vec<&str> = view.steps.iter().map(|step| step.name.as_str()).collect();
                    let message = format!("--wait-for: the deployment has no step {name:?}; it goes on.");
                    let hint = format!("traffic-shifted, finished, or one of: {}", names.join(", "));
                    Err(Error::new(ErrorCode::Invalid, message).hint(hint))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::deployment::ShiftView;

    use super::*;
    use crate::render::fixture::{finished, running};

    #[test]
    fn a_goal_is_reached_while_the_deployment_goes_on() {
        let mut view = running(1);
        assert_eq!(Goal::parse("finished").is_reached(&view), Ok(false));
        assert_eq!(Goal::parse("traffic-shifted").is_reached(&view), Ok(false));
        view.shifted = Some(ShiftView { at_ms: 1, switch_ms: 1 });
        assert_eq!(Goal::parse("traffic-shifted").is_reached(&view), Ok(true));
        assert_eq!(Goal::parse(&view.steps[0].name).is_reached(&view), Ok(true));
        assert_eq!(Goal::parse(&view.steps[1].name).is_reached(&view), Ok(false));
        assert!(Goal::parse("swop").is_reached(&view).is_err());
        assert_eq!(Goal::parse("traffic-shifted").is_reached(&finished()), Ok(false), "then its outcome counts");
    }
}
