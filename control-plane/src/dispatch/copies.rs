//! Certificates that two processes use: a folder that was copied, or a certificate that was stolen.
//!
//! A delegate that is restarted is a new process, and the old one never speaks again. When a process says hello whose place another one
//! has taken meanwhile, both are alive.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use domain::ids::{DelegateId, InstanceId};

/// Former processes of a delegate that are remembered.
const FORMER: usize = 8;

/// That a delegate's certificate is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The process that came back.
    pub instance: InstanceId,
    /// The one that had taken its place.
    pub other: InstanceId,
    /// When it came back, milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// Which processes of each delegate were there since the control plane started.
#[derive(Default)]
pub struct Copies {
    seen: Mutex<BTreeMap<DelegateId, Seen>>,
}

#[derive(Default)]
struct Seen {
    current: Option<InstanceId>,
    former: VecDeque<InstanceId>,
    copied: Option<Copied>,
}

impl Copies {
    /// A process of a delegate says hello. Says whether it shows that there are two of them.
    pub fn hello(&self, delegate: DelegateId, instance: InstanceId, now_ms: i64) -> Option<Copied> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.entry(delegate).or_default();
        let other = seen.current.replace(instance).filter(|other| *other != instance)?;
        let copied = seen.former.contains(&instance).then_some(Copied { instance, other, at_ms: now_ms });
        seen.former.retain(|former| *former != instance);
        seen.former.push_front(other);
        seen.former.truncate(FORMER);
        seen.copied = copied.or(seen.copied);
        copied
    }

    /// The last time that two processes of this delegate were seen.
    pub fn of(&self, delegate: DelegateId) -> Option<Copied> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&delegate).and_then(|seen| seen.copied)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn instance(number: u128) -> InstanceId {
        InstanceId::new(Uuid::from_u128(number))
    }

    #[test]
    fn restarts_are_no_copies_and_a_process_that_comes_back_behind_another_is() {
        let (copies, delegate) = (Copies::default(), DelegateId::new(Uuid::from_u128(1)));
        for number in [1, 1, 2, 3, 3, 4] {
            assert_eq!(copies.hello(delegate, instance(number), 10), None, "{number}");
        }
        let copied = Copied { instance: instance(3), other: instance(4), at_ms: 20 };
        assert_eq!(copies.hello(delegate, instance(3), 20), Some(copied));
        assert_eq!(copies.hello(delegate, instance(3), 30), None);
        assert_eq!(copies.of(delegate), Some(copied));
        assert_eq!(copies.hello(delegate, instance(4), 40).map(|copied| copied.other), Some(instance(3)));
        assert_eq!(copies.of(DelegateId::new(Uuid::from_u128(2))), None);
    }
}
