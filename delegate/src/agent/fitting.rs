//! Keeping what is reported within the size that the control plane stores ([`CHECKPOINT_BYTES`]).

use domain::{
    failure::{Failure, FailureKind},
    limits::CHECKPOINT_BYTES,
    task::TaskReport,
};
use proto::convert::document::to_json;

/// Of a failure's text, what is kept at most, in bytes. Several findings fit.
const TEXT_BYTES: usize = 8 * 1024;

/// The report as it travels. One that is too large becomes a failure that says so, or is cut if it is one.
pub fn report_json(report: &TaskReport) -> String {
    let json = to_json(report);
    if json.len() <= CHECKPOINT_BYTES {
        return json;
    }
    let failure = match report {
        TaskReport::Failed { failure } => {
            let mut failure = shortened(failure.clone());
            // The failure's own words come before the evidence.
            if to_json(&TaskReport::Failed { failure: failure.clone() }).len() > CHECKPOINT_BYTES {
                failure.dossier = None;
            }
            failure
        }
        TaskReport::Succeeded { .. } | TaskReport::HandedBack => {
            let size = json.len();
            Failure::uncertain(
                FailureKind::Application,
                format!(
                    "The step reached its goal, but what it hands on is too large: {size} bytes, at most {CHECKPOINT_BYTES}."
                ),
            )
        }
    };
    to_json(&TaskReport::Failed { failure })
}

fn shortened(mut failure: Failure) -> Failure {
    failure.message = cut(failure.message);
    failure.hint = failure.hint.map(cut);
    if let Some(answer) = &mut failure.answer {
        answer.message = answer.message.take().map(cut);
    }
    failure
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT_BYTES {
        text.truncate(text.floor_char_boundary(TEXT_BYTES));
        text.push_str(" [cut]");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_failure_is_cut_and_still_a_failure() {
        let failure = Failure::uncertain(FailureKind::Timeout, "ü\u{1}".repeat(CHECKPOINT_BYTES)).hint("x");
        let json = report_json(&TaskReport::Failed { failure });
        assert!(json.len() <= CHECKPOINT_BYTES, "{}", json.len());
        let read: TaskReport = serde_json::from_str(&json).expect("a report");
        assert!(matches!(read, TaskReport::Failed { failure } if failure.message.ends_with("[cut]") && failure.hint.is_some()));
        assert_eq!(report_json(&TaskReport::HandedBack), to_json(&TaskReport::HandedBack));
    }
}
