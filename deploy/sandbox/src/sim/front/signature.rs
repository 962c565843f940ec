//! Signature Version 4, verified: the request is signed again with our copy of the key by AWS's own signer, and the two signatures
//! must be the same.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as Keys;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use bytes::Bytes;
use http::request::Parts;

use super::request::Service;
use crate::sim::{
    credentials::{Credential, Credentials},
    error::ApiError,
};

/// Dates further off than this are refused.
const SKEW: Duration = Duration::from_secs(15 * 60);

/// Who signed a request, and for which region.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Whose key it was.
    pub caller: Credential,
    /// The region of the credential scope.
    pub region: String,
}

/// Verifies a request's signature.
///
/// # Errors
/// AWS's refusal, in the code that the service's protocol has for it.
pub fn verify(service: Service, parts: &Parts, body: &Bytes, known: &Credentials) -> Result<Signed, ApiError> {
    let refused = |json: &str, query: &str, text: &str| {
        if service.is_json() { ApiError::new(json, text) } else { ApiError::new(query, text).status(403) }
    };
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let Some(authorization) = header("authorization") else {
        return Err(refused("MissingAuthenticationTokenException", "MissingAuthenticationToken", "Missing Authentication Token"));
    };
    let incomplete = || {
        let text = "Authorization header requires 'Credential', 'Signature', 'SignedHeaders' and a 'X-Amz-Date' header.";
        refused("IncompleteSignatureException", "IncompleteSignature", text)
    };
    let fields = Fields::parse(authorization).ok_or_else(incomplete)?;
    let date = header("x-amz-date").ok_or_else(incomplete)?;
    let time = parse_date(date).ok_or_else(incomplete)?;
    let invalid_token = || {
        let text = "The security token included in the request is invalid.";
        refused("UnrecognizedClientException", "InvalidClientTokenId", text)
    };
    let credential = known.get(fields.access_key).ok_or_else(invalid_token)?;
    if header("x-amz-security-token") != credential.session_token.as_deref() {
        return Err(invalid_token());
    }
    if credential.expires.is_some_and(|expires| expires < jiff::Timestamp::now()) {
        let text = "The security token included in the request is expired";
        return Err(refused("ExpiredTokenException", "ExpiredToken", text));
    }
    let now = SystemTime::now();
    let skew = now.duration_since(time).or_else(|_| time.duration_since(now)).unwrap_or_default();
    if skew > SKEW {
        let text = if time < now {
            format!("Signature expired: {date} is now earlier than what is allowed, more than 15 minutes ago.")
        } else {
            format!("Signature not yet current: {date} is still later than what is allowed, more than 15 minutes ahead.")
        };
        return Err(refused("InvalidSignatureException", "SignatureDoesNotMatch", &text));
    }
    if fields.service != service.signing_name() {
        let text = format!("Credential should be scoped to correct service: '{}'.", service.signing_name());
        return Err(refused("InvalidSignatureException", "SignatureDoesNotMatch", &text));
    }
    let expected = signature(&fields, parts, body, credential, time).ok_or_else(incomplete)?;
    if expected != fields.signature {
        let text = "The request signature we calculated does not match the signature you provided. \
                    Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
        return Err(refused("InvalidSignatureException", "SignatureDoesNotMatch", text));
    }
    Ok(Signed { caller: credential.clone(), region: fields.region.to_owned() })
}

/// The parts of an `Authorization` header.
struct Fields<'a> {
    access_key: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Fields<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let rest = header.strip_prefix("AWS4-HMAC-SHA256")?;
        let field = |name: &str| {
            rest.split(',').map(str::trim).find_map(|part| part.strip_prefix(name)?.strip_prefix('=').map(str::trim))
        };
        let scope: Vec<&str> = field("Credential")?.split('/').collect();
        let [access_key, _date, region, service, "aws4_request"] = scope.as_slice() else { return None };
        Some(Self {
            access_key,
            region,
            service,
            signed_headers: field("SignedHeaders")?.split(';').collect(),
            signature: field("Signature")?,
        })
    }
}

fn signature(fields: &Fields<'_>, parts: &Parts, body: &Bytes, credential: &Credential, time: SystemTime) -> Option<String> {
    let host = parts.headers.get("host").and_then(|host| host.to_str().ok())?;
    let uri = format!("http://{host}{}", parts.uri.path_and_query().map_or("/", |path| path.as_str()));
    // What the signer adds by itself is not given to it twice.
    let own = ["host", "x-amz-date", "x-amz-security-token"];
    let mut headers = Vec::new();
    for name in fields.signed_headers.iter().filter(|name| !own.contains(name)) {
        headers.push((*name, parts.headers.get(*name)?.to_str().ok()?));
    }
    let keys =
        Keys::new(&credential.access_key, &credential.secret_key, credential.session_token.clone(), None, "sandbox").into();
    let mut settings = SigningSettings::default();
    settings.excluded_headers = None;
    let params = v4::SigningParams::builder()
        .identity(&keys)
        .region(fields.region)
        .name(fields.service)
        .time(time)
        .settings(settings)
        .build()
        .ok()?;
    let request = SignableRequest::new(parts.method.as_str(), uri, headers.into_iter(), SignableBody::Bytes(body)).ok()?;
    let (_, signature) = sign(request, &params.into()).ok()?.into_parts();
    Some(signature)
}

/// `20261122T101112Z`.
fn parse_date(text: &str) -> Option<SystemTime> {
    let parsed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let seconds = parsed.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}
