//! A deployment's story where nothing can be drawn over: one line each, with the step's name in front.

use domain::{console::visible, deployment::DeploymentStatus, ids::DeploymentId, log::LogLevel};

use super::{
    failure::failure,
    story::Said,
    time::{seconds, time},
};

/// The lines that tell it.
pub fn plain(said: &Said) -> String {
    let line = |name: &str, text: &str| format!("[{}] {}\n", visible(name), text.trim_end());
    match said {
        Said::Standing(status, id) => standing(status, *id).unwrap_or_default(),
        Said::Ignored { name, failure: why, .. } => {
            line(name, "failed, and is passed over") + &why.as_ref().map_or_else(String::new, |why| failure(why, "    "))
        }
        Said::Began { name, .. } => line(name, "started"),
        Said::Again { name, attempt, .. } => line(name, &format!("attempt {attempt}")),
        Said::Line(of_log) => {
            let level = match of_log.level {
                LogLevel::Info => "",
                LogLevel::Warn => "warning: ",
                LogLevel::Error => "error: ",
            };
            line(&of_log.name, &format!("{level}{}", visible(&of_log.text)))
        }
        Said::Retrying { name, failure: why, .. } => {
            line(name, "failed for a passing reason and is tried again")
                + &why.as_ref().map_or_else(String::new, |why| failure(why, "    "))
        }
        Said::Done { name, took_ms, .. } => match took_ms {
            Some(took_ms) => line(name, &format!("done in {}", seconds(*took_ms))),
            None => line(name, "done"),
        },
        Said::Failed { name, failure: why, .. } => {
            line(name, "failed") + &why.as_ref().map_or_else(String::new, |why| failure(why, "    "))
        }
    }
}

/// Why it does not go on by itself, and what can be done; none when it does.
pub(super) fn standing(status: &DeploymentStatus, id: DeploymentId) -> Option<String> {
    match status {
        DeploymentStatus::Queued { behind } => {
            let first = behind.map_or_else(String::new, |id| format!(" ({id})"));
            Some(format!("Queued: another deployment of this service and infrastructure goes first{first}.\n"))
        }
        DeploymentStatus::WaitingForDelegate { reasons } => {
            let reasons: String = reasons.iter().map(|reason| format!("  - {}\n", visible(reason))).collect();
            Some(format!("No delegate can take the next task:\n{reasons}"))
        }
        DeploymentStatus::Paused { who, since_ms } => Some(format!(
            "Paused by {} at {}: no further step begins. Go on: segue deployment resume {id}\n",
            visible(who),
            time(*since_ms)
        )),
        DeploymentStatus::WaitingForPerson { step, until_ms, otherwise } => Some(format!(
            "Step {:?} failed, and a person is asked until {}; then: {otherwise}.\n  segue deployment \
             retry|ignore|succeed|rollback|abort {id}\n",
            visible(step),
            time(*until_ms)
        )),
        DeploymentStatus::WaitingForApproval { step, message, approvers, count, approved_by, until_ms } => {
            let who = if approvers.is_empty() { "anyone who may".to_owned() } else { visible(&approvers.join(", ")).to_string() };
            let by = if approved_by.is_empty() { String::new() } else { format!(" ({})", visible(&approved_by.join(", "))) };
            Some(format!(
                "{:?} waits for approval until {}: {}\n  {} of {count} approvals{by}; may answer: {who}\n  segue deployment \
                 approve|reject {id}\n",
                visible(step),
                time(*until_ms),
                visible(message),
                approved_by.len()
            ))
        }
        DeploymentStatus::RollingBack => {
            Some("Rolling back: every step that was started is undone, the last one first.\n".to_owned())
        }
        DeploymentStatus::Running | DeploymentStatus::Finished { .. } => None,
    }
}
