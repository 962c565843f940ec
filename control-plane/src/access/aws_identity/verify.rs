//! Who claims, and whether that may join.

use std::path::PathBuf;

use domain::scope::Scope;

use super::{
    Claim,
    rules::{Rules, RulesError},
    sts::{self, Answer},
};

/// An identity that may join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its ARN, as AWS told it.
    pub arn: String,
    /// What it may be given.
    pub scope: Scope,
}

/// Why an identity may not join.
#[derive(Debug, thiserror::Error)]
pub enum IdentityRefused {
    /// Nobody may join so.
    #[error("this control plane lets nobody join by AWS identity (segue server --aws-join FILE does)")]
    Off,
    /// The claim is not what it must be.
    #[error("the proof of the AWS identity is not usable: {0}")]
    Claim(String),
    /// AWS does not confirm it.
    #[error("AWS does not confirm the identity: {0}")]
    Forged(String),
    /// No rule speaks of it.
    #[error("no rule lets {0} join")]
    Stranger(String),
    /// The rules can't be read now.
    #[error("the rules for joining by AWS identity can't be used: {0}")]
    Rules(#[from] RulesError),
    /// AWS can't be asked now.
    #[error("{0}")]
    Unavailable(String),
}

/// Verifies AWS identities.
#[derive(Debug, Clone)]
pub struct AwsIdentities {
    rules: PathBuf,
    endpoint: Option<String>,
}

impl AwsIdentities {
    /// By the rules in this file; STS is asked at `endpoint`, or where AWS has it in the claim's region.
    ///
    /// # Errors
    /// When the rules can't be read or are wrong.
    pub fn new(rules: PathBuf, endpoint: Option<String>) -> Result<Self, RulesError> {
        Rules::read(&rules)?;
        Ok(Self { rules, endpoint })
    }

    /// The identity behind a claim to join with this certificate request, made by somebody who trusts one of these texts of authorities.
    ///
    /// # Errors
    /// When it may not join, or nobody can say now whether it may.
    pub async fn verify(
        &self,
        claim: &Claim,
        certificate_request: &str,
        authorities: &[String],
    ) -> Result<Known, IdentityRefused> {
        let mut refused = authorities.iter().map(|text| claim.check(certificate_request, text)).collect::<Vec<_>>();
        if !refused.iter().any(Result::is_ok)
            && let Some(Err(why)) = refused.pop()
        {
            return Err(IdentityRefused::Claim(why));
        }
        let endpoint = self.endpoint.clone().unwrap_or_else(|| claim.endpoint());
        let arn = match sts::ask(&endpoint, claim).await {
            Answer::Arn(arn) => arn,
            Answer::Refused(code) => return Err(IdentityRefused::Forged(code)),
            Answer::Unavailable(why) => return Err(IdentityRefused::Unavailable(why)),
        };
        match Rules::read(&self.rules)?.scope(&arn) {
            Some(scope) => Ok(Known { arn, scope }),
            None => Err(IdentityRefused::Stranger(arn)),
        }
    }
}
