//! Which certificates a listener may name. ACM and IAM are not simulated: a certificate of the caller's account (ACM: and region) is
//! taken to exist if its ARN is one.

use winterbaume_elasticloadbalancingv2::model as wire;

use super::api::invalid;
use crate::sim::error::ApiError;

/// Whether a protocol ends TLS at the listener.
pub(super) fn is_secure(protocol: &str) -> bool {
    protocol == "HTTPS" || protocol == "TLS"
}

/// Checks what a listener of a protocol is given: exactly one certificate if it ends TLS, none otherwise.
pub(super) fn check(protocol: &str, given: Option<&wire::CertificateList>, account: &str, region: &str) -> Result<(), ApiError> {
    let given = given.map_or(&[][..], |list| &list.items);
    if !is_secure(protocol) {
        let none = given.is_empty();
        return if none { Ok(()) } else { Err(invalid(format!("A certificate cannot be specified for {protocol} listeners"))) };
    }
    let [only] = given else {
        let text = if given.is_empty() {
            format!("A certificate must be specified for {protocol} listeners")
        } else {
            format!("Only one certificate can be specified for {protocol} listeners")
        };
        return Err(invalid(text));
    };
    if only.is_default.is_some() {
        return Err(invalid("You cannot specify IsDefault for the certificate of a listener"));
    }
    let arn = only.certificate_arn.as_deref().unwrap_or_default();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", "aws", service, of_region, of_account, resource] = parts[..] else {
        return Err(invalid(format!("Certificate ARN '{arn}' is not valid")));
    };
    let exists = match service {
        "acm" => of_region == region && resource.strip_prefix("certificate/").is_some_and(|id| !id.is_empty()),
        "iam" => of_region.is_empty() && resource.strip_prefix("server-certificate/").is_some_and(|name| !name.is_empty()),
        _ => return Err(invalid(format!("Certificate ARN '{arn}' is not valid"))),
    };
    if exists && of_account == account {
        Ok(())
    } else {
        Err(ApiError::new("CertificateNotFound", format!("Certificate '{arn}' not found")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_one_of_the_caller_s() {
        let list = |arns: &[&str]| wire::CertificateList {
            items: arns
                .iter()
                .map(|arn| wire::Certificate { certificate_arn: Some((*arn).to_owned()), is_default: None })
                .collect(),
        };
        let checked = |protocol: &str, arns: &[&str]| check(protocol, Some(&list(arns)), "1", "r").map_err(|error| error.code);
        assert_eq!(checked("HTTPS", &["arn:aws:acm:r:1:certificate/x"]), Ok(()));
        assert_eq!(checked("TLS", &["arn:aws:iam::1:server-certificate/x"]), Ok(()));
        for missing in ["arn:aws:acm:q:1:certificate/x", "arn:aws:acm:r:2:certificate/x", "arn:aws:acm:r:1:certificate/"] {
            assert_eq!(checked("HTTPS", &[missing]), Err("CertificateNotFound".to_owned()), "{missing}");
        }
        for (protocol, arns) in [
            ("HTTPS", &[][..]),
            ("HTTP", &["arn:aws:acm:r:1:certificate/x"]),
            ("HTTPS", &["arn:aws:acm:r:1:certificate/x", "arn:aws:acm:r:1:certificate/y"]),
            ("HTTPS", &["x"]),
            ("HTTPS", &["arn:aws:s3:r:1:certificate/x"]),
        ] {
            assert_eq!(checked(protocol, arns), Err("ValidationError".to_owned()), "{protocol} {arns:?}");
        }
    }
}
