//! An approval as the engine plans it.

use std::collections::BTreeSet;

use domain::{
    manifest::{ApprovalDocument, Source},
    step::Approval,
};

use super::{names::Names, resolver::Resolver, setup::optional};

const TIMEOUT_MS: u64 = 3_600_000;

/// The approval with every expression replaced. None: something is wrong and noted, or still open.
pub(super) fn approval(said: &ApprovalDocument, source: &Source, names: &Names, resolver: &mut Resolver) -> Option<Approval> {
    let message = resolver.now(source, names, &said.message);
    let approvers: Vec<_> = said.approvers.iter().map(|name| resolver.now(source, names, name)).collect();
    let count = optional(&said.count, |count| resolver.now(source, names, count));
    let timeout = optional(&said.timeout, |length| resolver.now(source, names, length));
    let approvers: Vec<String> = approvers.into_iter().collect::<Option<_>>()?;
    let approval = Approval {
        message: message?,
        approvers,
        count: count?.unwrap_or(1),
        timeout_seconds: timeout?.unwrap_or(TIMEOUT_MS).div_ceil(1_000),
    };
    let people = approval.approvers.iter().collect::<BTreeSet<_>>().len();
    let wrong = if approval.count == 0 {
        Some((said.count.as_ref().map(|text| &text.text.place), "an approval by nobody asks nobody".to_owned()))
    } else if !approval.approvers.is_empty() && usize::try_from(approval.count).unwrap_or(usize::MAX) > people {
        let place = said.count.as_ref().map(|text| &text.text.place);
        Some((place, format!("{} different people have to approve, but only {people} may", approval.count)))
    } else if approval.timeout_seconds == 0 {
        Some((said.timeout.as_ref().map(|text| &text.text.place), "an approval that waits no time is never given".to_owned()))
    } else {
        None
    };
    match wrong {
        Some((place, message)) => {
            resolver.add(source.finding(place.unwrap_or(&said.message.text.place), message));
            None
        }
        None => Some(approval),
    }
}
