//! One question, one answer, with who it was that looked.

use domain::{
    discovery::{Answer, Findings, Query, Subject},
    failure::Failure,
    infrastructure::InfrastructureSpec,
};

use super::load_balancers;
use crate::{
    aws::ports::{Aws, AwsAccess, Ecs},
    steps::previous_version,
};

/// The questions that came after version 1 of the protocol, as a hello names them.
pub const QUESTIONS: [&str; 1] = ["access"];

/// Looks, and says in which account, as whom, and in which region and VPC.
///
/// # Errors
/// When AWS refuses one of the reads, or can't be reached.
pub async fn answer(query: &Query, access: &dyn AwsAccess) -> Result<Answer, Failure> {
    let infrastructure = &query.infrastructure;
    let aws = access.connect(infrastructure).await?;
    match &query.subject {
        Subject::LoadBalancers { name_contains } => {
            let (vpc, name) = (infrastructure.vpc.as_deref(), name_contains.as_deref());
            let found = async { load_balancers::find(aws.load_balancing.as_ref(), vpc, name).await.map(Findings::LoadBalancers) };
            told_by(infrastructure, &aws, found).await
        }
        Subject::PreviousVersion(input) => {
            let found = async { previous_version(&aws, input).await.map(Findings::PreviousVersion) };
            told_by(infrastructure, &aws, found).await
        }
        Subject::Access => reached(infrastructure, aws.ecs.as_ref()).await,
    }
}

async fn told_by(
    infrastructure: &InfrastructureSpec,
    aws: &Aws,
    findings: impl Future<Output = Result<Findings, Failure>>,
) -> Result<Answer, Failure> {
    let (caller, findings) = futures::try_join!(aws.identity.caller(), findings)?;
    Ok(Answer {
        account: caller.account,
        identity: caller.arn,
        region: infrastructure.region.clone(),
        vpc: infrastructure.vpc.clone(),
        findings,
    })
}

/// One read that every deployment needs and every delegate may make: it takes credentials, the role, the way to AWS and the delegate's
/// own policy. Not AWS's token service: in a closed network it may be out of reach, and no deployment needs it.
async fn reached(infrastructure: &InfrastructureSpec, ecs: &dyn Ecs) -> Result<Answer, Failure> {
    let cluster = ecs.cluster(&infrastructure.cluster).await?;
    let account = cluster.as_ref().and_then(|cluster| cluster.arn.split(':').nth(4));
    Ok(Answer {
        account: account.unwrap_or_default().to_owned(),
        identity: String::new(),
        region: infrastructure.region.clone(),
        vpc: infrastructure.vpc.clone(),
        findings: Findings::Access { cluster: cluster.is_some() },
    })
}
