//! Proving who we are in AWS without giving anything away: a request to `sts:GetCallerIdentity` is signed here and sent by the control
//! plane. It is tied to one certificate request and to the authorities that we trust, so that nobody can use it for anything else.

use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use proto::delegate::{AwsIdentity, SignedHeader};
use runtime::{
    clock::Clock,
    tls::{BINDING_HEADER, binding},
};

/// What is asked of STS; the control plane sends the same.
const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// Why no proof can be made.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Nobody says in which region.
    #[error("no AWS region is configured (AWS_REGION)")]
    Region,
    /// There are no credentials.
    #[error("no AWS credentials were found: {0}")]
    Credentials(String),
    /// The request can't be signed.
    #[error("the request to STS can't be signed: {0}")]
    Signing(String),
}

/// A proof for this certificate request, with the credentials, region and endpoint that AWS tools would find here.
///
/// # Errors
/// When there are none.
pub(super) async fn prove(certificate_request: &str, authorities: &str, clock: &dyn Clock) -> Result<AwsIdentity, ProofError> {
    let config = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let region = config.region().ok_or(ProofError::Region)?.to_string();
    let provider = config.credentials_provider().ok_or_else(|| ProofError::Credentials("no provider".to_owned()))?;
    let credentials = provider.provide_credentials().await;
    let credentials = credentials.map_err(|error| ProofError::Credentials(crate::session::describe(&error)))?;
    let endpoint = std::env::var("AWS_ENDPOINT_URL_STS").ok().or_else(|| config.endpoint_url().map(str::to_owned));
    let endpoint = endpoint.unwrap_or_else(|| of_aws(&region));
    let digest = binding(certificate_request, authorities);
    let own = [("content-type", CONTENT_TYPE), (BINDING_HEADER, digest.as_str())];

    let identity = credentials.into();
    let signing = |error: &dyn std::error::Error| ProofError::Signing(crate::session::describe(error));
    let now_ms = u64::try_from(clock.now_ms()).unwrap_or(0);
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("sts")
        .time(SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| signing(&error))?;
    let url = format!("{}/", endpoint.trim_end_matches('/'));
    let body = SignableBody::Bytes(BODY.as_bytes());
    let request = SignableRequest::new("POST", url, own.into_iter(), body).map_err(|error| signing(&error))?;
    let (instructions, _) = sign(request, &parameters.into()).map_err(|error| signing(&error))?.into_parts();
    let header = |(name, value): (&str, &str)| SignedHeader { name: name.to_owned(), value: value.to_owned() };
    let headers = instructions.headers().chain(own).map(header).collect();
    Ok(AwsIdentity { region, headers })
}

/// Where AWS has its STS.
fn of_aws(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://sts.{region}.{suffix}")
}
