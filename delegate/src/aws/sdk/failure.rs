//! The one place where an error of the SDK becomes a failure in our words: of what kind, whether its effect may stand, and whether
//! the same call may work a little later.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::failure::{Effect, Failure, FailureKind, PeerAnswer};

use crate::aws::throttling::is_throttling;

/// The longest text of AWS's that is taken over, in characters.
const LONGEST_TEXT: usize = 2_000;

/// What was being done when it failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// `ecs:CreateService`.
    pub operation: &'static str,
    /// Whether it changes anything.
    pub writes: bool,
    /// In words: `create the ECS service todo__3 in cluster docs-ecs`.
    pub what: &'a str,
}

/// The error as a failure.
pub(super) fn failure<E>(call: Call<'_>, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let possibly = if call.writes { Effect::MayHaveHappened } else { Effect::DidNotHappen };
    let mut answer =
        Box::new(PeerAnswer { operation: call.operation.to_owned(), code: None, message: None, request_id: request_id(error) });
    let could_not = format!("Could not {}", call.what);
    match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let code = service.err().code().or_else(|| source_code(service.err())).unwrap_or("an error without a code");
            let text = cut(service.err().message().unwrap_or_default());
            answer.code = Some(code.to_owned());
            answer.message = Some(text.clone()).filter(|text| !text.is_empty());
            let verdict = verdict(code, status);
            Failure {
                kind: verdict.kind,
                effect: if verdict.fault { possibly } else { Effect::DidNotHappen },
                transient: verdict.transient,
                message: if text.is_empty() { format!("{could_not}: {code}.") } else { format!("{could_not}: {code}: {text}") },
                hint: verdict.hint.map(|hint| hint.replace("{operation}", call.operation)),
                answer: Some(answer),
                dossier: None,
            }
        }
        SdkError::TimeoutError(_) => unanswered(
            possibly,
            answer,
            format!(
                "{could_not}: AWS did not answer in time{}.",
                if call.writes { "; it may have been carried out" } else { "" }
            ),
        ),
        SdkError::DispatchFailure(dispatch) => {
            let detail = cut(&chain(error));
            if let Some(credentials) = in_chain::<CredentialsError>(error) {
                return no_credentials(could_not, credentials, answer);
            }
            let never_sent =
                dispatch.is_user() || in_chain::<hyper_util::client::legacy::Error>(error).is_some_and(|e| e.is_connect());
            let effect = if never_sent { Effect::DidNotHappen } else { possibly };
            let told = if effect == Effect::MayHaveHappened { "; it may have been carried out" } else { "" };
            unanswered(effect, answer, format!("{could_not}: AWS could not be reached{told} ({detail})."))
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let told = if status >= 500 {
                format!("AWS answered with HTTP status {status}")
            } else {
                format!("AWS's answer could not be understood ({})", cut(&chain(error)))
            };
            unanswered(possibly, answer, format!("{could_not}: {told}."))
        }
        SdkError::ConstructionFailure(_) => {
            if let Some(credentials) = in_chain::<CredentialsError>(error) {
                return no_credentials(could_not, credentials, answer);
            }
            let message = format!("{could_not}: the request could not be built ({}).", cut(&chain(error)));
            Failure { answer: Some(answer), ..Failure::refused(FailureKind::Application, message) }
        }
        _ => unanswered(possibly, answer, format!("{could_not}: {}.", cut(&chain(error)))),
    }
}

/// What a code means.
struct Verdict {
    kind: FailureKind,
    /// AWS's own fault: it may have been carried out.
    fault: bool,
    transient: bool,
    hint: Option<&'static str>,
}

fn verdict(code: &str, status: u16) -> Verdict {
    let known = |kind, transient, hint| Verdict { kind, fault: false, transient, hint };
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" | "AuthorizationError" => known(
            FailureKind::Authorization,
            false,
            Some(
                "Allow {operation} for the role that the delegate uses (AWS's message names it), then run the deployment again.",
            ),
        ),
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => known(
            FailureKind::Authorization,
            true,
            Some(
                "The delegate's credentials have run out. If they are static, replace them; otherwise check the machine's clock.",
            ),
        ),
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "AuthFailure"
        | "OptInRequired" => known(
            FailureKind::Authorization,
            false,
            Some("AWS does not know the delegate's credentials: check where it gets them, its region and its clock."),
        ),
        _ if is_throttling(code) || status == 429 => known(
            FailureKind::Connectivity,
            true,
            Some("AWS limits how often the account may make this call. It is tried again by itself."),
        ),
        _ if status >= 500 => Verdict { kind: FailureKind::Connectivity, fault: true, transient: true, hint: None },
        _ => known(FailureKind::Application, false, None),
    }
}

fn unanswered(effect: Effect, answer: Box<PeerAnswer>, message: String) -> Failure {
    Failure { kind: FailureKind::Connectivity, effect, transient: true, message, hint: None, answer: Some(answer), dossier: None }
}

fn no_credentials(could_not: String, error: &CredentialsError, answer: Box<PeerAnswer>) -> Failure {
    let detail = cut(&chain(error));
    let unreachable = in_chain::<hyper_util::client::legacy::Error>(error).is_some();
    let transient = unreachable || matches!(error, CredentialsError::ProviderTimedOut(_));
    Failure {
        kind: FailureKind::Authorization,
        effect: Effect::DidNotHappen,
        transient,
        message: format!("{could_not}: the delegate has no AWS credentials for it ({detail})."),
        hint: Some(
            "The delegate takes credentials from AWS's default chain (environment, profile, web identity, container, instance) and \
             assumes the infrastructure's role with them. Check both, and the role's trust policy and external id."
                .to_owned(),
        ),
        answer: Some(answer),
        dossier: None,
    }
}

fn request_id<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let headers = error.raw_response()?.headers();
    headers.get("x-amzn-requestid").or_else(|| headers.get("x-amz-request-id")).map(|id| id.chars().take(128).collect())
}

/// A code that the operation does not model, but its service does, hides in the source.
fn source_code<E: Error + 'static>(error: &E) -> Option<&str> {
    in_chain::<aws_sdk_ecs::Error>(error).and_then(ProvideErrorMetadata::code)
}

fn in_chain<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.join(": ")
}

fn cut(text: &str) -> String {
    text.trim().chars().take(LONGEST_TEXT).collect()
}
