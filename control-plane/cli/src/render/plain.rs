//! A deployment's story where nothing can be drawn over: one line each, with the step's name in front.

use domain::{console::visible, log::LogLevel};

use super::{failure::failure, story::Said, time::seconds};

/// The lines that tell it.
pub fn plain(said: &Said) -> String {
    let line = |name: &str, text: &str| format!("[{}] {}\n", visible(name), text.trim_end());
    match said {
        Said::Queued => "Queued: another deployment of this service and infrastructure goes first.\n".to_owned(),
        Said::Waiting(reasons) => waiting(reasons),
        Said::RollingBack => "Rolling back: every step that was started is undone, the last one first.\n".to_owned(),
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

/// Why nobody can take the next task.
pub(super) fn waiting(reasons: &[String]) -> String {
    let reasons: String = reasons.iter().map(|reason| format!("  - {}\n", visible(reason))).collect();
    format!("No delegate can take the next task:\n{reasons}")
}
