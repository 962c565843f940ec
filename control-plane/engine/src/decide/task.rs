//! Finding the attempt that a message from a delegate is about.

use domain::task::TaskKey;

use crate::{
    input::Holder,
    rejection::Rejection,
    state::{Attempt, Course, Deployment},
};

/// The course and the attempt, if it is the newest and held, or was held, by `holder`.
pub(super) fn newest(deployment: &Deployment, task: TaskKey, holder: Holder) -> Result<(&Course, &Attempt), Rejection> {
    let (course, attempt) = known(deployment, task)?;
    let newest_attempt = course.newest_attempt();
    if task.attempt < newest_attempt {
        return Err(Rejection::Stale { newest_attempt });
    }
    if attempt.holder != holder {
        return Err(Rejection::NotHeldBy { holder: attempt.holder });
    }
    Ok((course, attempt))
}

/// The course and the attempt, if it was ever claimed.
pub(super) fn known(deployment: &Deployment, task: TaskKey) -> Result<(&Course, &Attempt), Rejection> {
    if task.deployment != deployment.id() {
        return Err(Rejection::OtherDeployment);
    }
    let course = deployment.course(task.step, task.direction).ok_or(Rejection::UnknownTask)?;
    let attempt = course.attempt(task.attempt).ok_or(Rejection::UnknownTask)?;
    Ok((course, attempt))
}
