//! What a delegate claims: a signed request, looked at before anybody outside is asked. It is ours in every part that we send on, so
//! that nobody can have the control plane send anything else, or anywhere else.

use std::collections::BTreeMap;

use runtime::tls::{BINDING_HEADER, binding};

/// Headers that a claim may have. `host` is not among them: it is the endpoint's.
const HEADERS: [&str; 5] = ["authorization", "content-type", "x-amz-date", "x-amz-security-token", BINDING_HEADER];
/// Of these the signature has to cover the last.
const SIGNED: [&str; 3] = ["host", "x-amz-date", BINDING_HEADER];
/// The longest header, in bytes: session tokens are long.
const LONGEST: usize = 8 * 1024;
/// What is asked of STS, as the delegate signs it.
pub const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// A signed request to STS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The region whose STS it is for.
    pub region: String,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
}

impl Claim {
    /// Looks at everything that can be looked at without AWS.
    ///
    /// # Errors
    /// What is wrong with it, for the delegate's log.
    pub fn check(&self, certificate_request: &str, authorities: &str) -> Result<(), String> {
        let plausible = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.region.is_empty() || self.region.len() > 32 || !self.region.chars().all(plausible) {
            return Err("the region is none".to_owned());
        }
        if let Some(name) = self.headers.keys().find(|name| !HEADERS.contains(&name.as_str())) {
            return Err(format!("the header {:?} is not sent on", name.chars().take(60).collect::<String>()));
        }
        if self.headers.values().any(|value| value.len() > LONGEST) {
            return Err(format!("a header is longer than {LONGEST} bytes"));
        }
        let authorization = self.headers.get("authorization").ok_or("it is not signed")?;
        let signed = field(authorization, "SignedHeaders").ok_or("the signature does not say what it covers")?;
        if let Some(name) = SIGNED.iter().find(|name| !signed.split(';').any(|signed| signed == **name)) {
            return Err(format!("the signature does not cover {name}"));
        }
        let scope = field(authorization, "Credential").unwrap_or_default();
        if scope.split('/').skip(2).collect::<Vec<_>>() != [self.region.as_str(), "sts", "aws4_request"] {
            return Err("the signature is not for STS in that region".to_owned());
        }
        if self.headers.get(BINDING_HEADER) != Some(&binding(certificate_request, authorities)) {
            return Err("it was made for another key, or for another control plane".to_owned());
        }
        Ok(())
    }

    /// Where STS answers in the claim's region.
    pub fn endpoint(&self) -> String {
        let suffix = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://sts.{}.{suffix}/", self.region)
    }
}

/// A field of an `Authorization: AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...`.
fn field<'a>(authorization: &'a str, name: &str) -> Option<&'a str> {
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    fields.split(',').map(str::trim).find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> Claim {
        let authorization = "AWS4-HMAC-SHA256 Credential=AKID/20261123/eu-west-1/sts/aws4_request, \
                             SignedHeaders=content-type;host;x-amz-date;x-segue-joins, Signature=ab";
        let headers = [("authorization", authorization), ("x-amz-date", "20261123T100000Z")];
        let mut headers: BTreeMap<String, String> =
            headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        headers.insert(BINDING_HEADER.into(), binding("request", "authorities"));
        Claim { region: "eu-west-1".into(), headers }
    }

    fn wrong(change: impl FnOnce(&mut Claim)) -> String {
        let mut claim = claim();
        change(&mut claim);
        claim.check("request", "authorities").expect_err("wrong")
    }

    #[test]
    fn a_claim_is_for_sts_and_for_this_request_alone() {
        assert_eq!(claim().check("request", "authorities"), Ok(()));
        assert!(claim().check("another", "authorities").expect_err("another key").contains("another key"));
        assert!(claim().check("request", "others").expect_err("another control plane").contains("another control plane"));
        let set = |name: &'static str, value: String| move |claim: &mut Claim| drop(claim.headers.insert(name.into(), value));
        let authorization = claim().headers["authorization"].clone();
        for (found, expected) in [
            (wrong(|claim| claim.region = "eu-west-1.evil.example/".into()), "the region is none"),
            (wrong(|claim| claim.region = "eu-west-2".into()), "not for STS in that region"),
            (wrong(set("x-forwarded-host", "evil".into())), "is not sent on"),
            (wrong(set("host", "evil".into())), "is not sent on"),
            (wrong(set("x-amz-security-token", "x".repeat(9_000))), "longer than"),
            (wrong(|claim| drop(claim.headers.remove("authorization"))), "not signed"),
            (wrong(set("authorization", authorization.replace("host;", ""))), "does not cover host"),
            (wrong(set("authorization", authorization.replace(";x-segue-joins", ""))), "does not cover x-segue-joins"),
            (wrong(set("authorization", authorization.replace("/sts/", "/ec2/"))), "not for STS"),
        ] {
            assert!(found.contains(expected), "{found}");
        }
        assert_eq!(claim().endpoint(), "https://sts.eu-west-1.amazonaws.com/");
        assert_eq!(Claim { region: "cn-north-1".into(), ..claim() }.endpoint(), "https://sts.cn-north-1.amazonaws.com.cn/");
    }
}
