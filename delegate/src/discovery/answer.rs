//! One question, one answer, with who it was that looked.

use domain::{
    discovery::{Answer, Findings, Query, Subject},
    failure::Failure,
};

use super::load_balancers;
use crate::{aws::ports::AwsAccess, steps::previous_version};

/// Looks, and says in which account, as whom, and in which region and VPC.
///
/// # Errors
/// When AWS refuses one of the reads, or can't be reached.
pub async fn answer(query: &Query, access: &dyn AwsAccess) -> Result<Answer, Failure> {
    let infrastructure = &query.infrastructure;
    let aws = access.connect(infrastructure).await?;
    let findings = async {
        match &query.subject {
            Subject::LoadBalancers { name_contains } => {
                load_balancers::find(aws.load_balancing.as_ref(), infrastructure.vpc.as_deref(), name_contains.as_deref())
                    .await
                    .map(Findings::LoadBalancers)
            }
            Subject::PreviousVersion(input) => previous_version(&aws, input).await.map(Findings::PreviousVersion),
        }
    };
    let (caller, findings) = futures::try_join!(aws.identity.caller(), findings)?;
    Ok(Answer {
        account: caller.account,
        identity: caller.arn,
        region: infrastructure.region.clone(),
        vpc: infrastructure.vpc.clone(),
        findings,
    })
}
