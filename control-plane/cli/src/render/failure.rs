//! Errors and failures: what was tried, what the peer answered, what to do.

use std::fmt::Write as _;

use console::Style;
use domain::{console::visible, error::Error, failure::Failure};

use super::{Look, dossier};

/// An error of the CLI or of the server.
pub fn error(error: &Error, look: Look) -> String {
    let mut text = format!("{} {}\n", look.paint(Style::new().red().bold(), "error:"), lines(&error.message, "       "));
    if let Some(hint) = &error.hint {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "\n{} {}", look.paint(Style::new().cyan(), "hint:"), lines(hint, "      "));
    }
    text
}

/// A failure of a step, each line indented, with the most telling lines of its evidence.
pub fn failure(failure: &Failure, indent: &str) -> String {
    words(failure, indent) + &failure.dossier.as_ref().map_or_else(String::new, |evidence| dossier::short(evidence, indent))
}

/// The same with all of its evidence.
pub fn with_evidence(failure: &Failure, indent: &str) -> String {
    words(failure, indent) + &failure.dossier.as_ref().map_or_else(String::new, |evidence| dossier::whole(evidence, indent))
}

fn words(failure: &Failure, indent: &str) -> String {
    let mut text = format!("{indent}{}\n", lines(&failure.message, indent));
    if let Some(answer) = &failure.answer {
        let _ = writeln!(text, "{indent}AWS: {}", lines(&answer.to_string(), indent));
    }
    if let Some(hint) = &failure.hint {
        let _ = writeln!(text, "{indent}hint: {}", lines(hint, indent));
    }
    text
}

fn lines(text: &str, indent: &str) -> String {
    text.lines().map(|line| visible(line).into_owned()).collect::<Vec<_>>().join(&format!("\n{indent}"))
}

#[cfg(test)]
mod tests {
    use domain::{
        error::ErrorCode,
        failure::{FailureKind, PeerAnswer},
    };

    use super::*;

    #[test]
    fn an_error_ends_with_what_to_do() {
        let shown = error(&Error::new(ErrorCode::NotFound, "no workflow x\nin shop").hint("segue get workflow"), Look::PLAIN);
        assert_eq!(shown, "error: no workflow x\n       in shop\n\nhint: segue get workflow\n");
    }

    #[test]
    fn a_failure_says_what_aws_answered_and_hides_no_control_character() {
        let mut refused = Failure::refused(FailureKind::Application, "No such \u{1b}[2Jcluster").hint("Create it.");
        refused.answer = Some(Box::new(PeerAnswer {
            operation: "ecs:CreateService".into(),
            code: Some("ClusterNotFoundException".into()),
            message: Some("Cluster not found.".into()),
            request_id: Some("r-1".into()),
        }));
        assert_eq!(
            failure(&refused, "  "),
            "  No such \\u{1b}[2Jcluster\n  AWS: ecs:CreateService answered ClusterNotFoundException: Cluster not found. (request id \
             r-1)\n  hint: Create it.\n"
        );
    }
}
