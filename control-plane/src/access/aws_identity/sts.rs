//! Sending the claim to STS, and reading whose it is.

use std::time::Duration;

use runtime::http::{HttpProbe, Question};

use super::claim::{BODY, Claim};

/// How long STS may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What STS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The claim is this identity's.
    Arn(String),
    /// It is nobody's: STS's error code.
    Refused(String),
    /// STS can't be asked now.
    Unavailable(String),
}

/// Asks STS at `endpoint`.
pub(super) async fn ask(endpoint: &str, claim: &Claim) -> Answer {
    let question = Question { url: endpoint, headers: &claim.headers, body: Some(BODY) };
    match HttpProbe::new().ask(question, LIMIT).await {
        Ok(answer) if answer.status == 200 => {
            element(&answer.body, "Arn").map_or_else(|| Answer::Unavailable("STS's answer names no ARN".to_owned()), Answer::Arn)
        }
        Ok(answer) if answer.status >= 500 || answer.status == 429 => {
            Answer::Unavailable(format!("STS answered {}", answer.status))
        }
        Ok(answer) => Answer::Refused(element(&answer.body, "Code").unwrap_or_else(|| format!("status {}", answer.status))),
        Err(error) => Answer::Unavailable(format!("STS at {endpoint} can't be asked: {error}")),
    }
}

/// The text of the first element of this name.
fn element(xml: &str, name: &str) -> Option<String> {
    let document = roxmltree::Document::parse(xml).ok()?;
    let found = document.descendants().find(|node| node.tag_name().name() == name)?;
    found.text().map(|text| text.trim().chars().take(2_048).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_and_a_code_are_found_in_the_answers_that_aws_documents() {
        let well = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
            <Arn>arn:aws:sts::123456789012:assumed-role/segue/i-1</Arn><UserId>AROA:i-1</UserId><Account>123456789012</Account>
            </GetCallerIdentityResult></GetCallerIdentityResponse>"#;
        assert_eq!(element(well, "Arn").as_deref(), Some("arn:aws:sts::123456789012:assumed-role/segue/i-1"));
        let ill = r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
            <Code>SignatureDoesNotMatch</Code><Message>...</Message></Error></ErrorResponse>"#;
        assert_eq!(element(ill, "Code").as_deref(), Some("SignatureDoesNotMatch"));
        assert_eq!(element("<html", "Arn"), None);
    }
}
