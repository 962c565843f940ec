//! All of AWS within the budget.

use std::{sync::Arc, time::Duration};

use runtime::chance::Chance;

use super::{
    accounts::Budget,
    ecs::PacedEcs,
    load_balancing::PacedLoadBalancing,
    names::{PacedRecords, PacedRegistries},
    others::Paced,
    reads::Reads,
};
use crate::aws::ports::Aws;

/// These ports, each read of which waits for its turn in this budget and is tried again where that helps, within `limit` without the
/// waits. `chance` gives the waits between tries their jitter.
pub fn paced(aws: Aws, budget: Budget, limit: Duration, chance: Chance) -> Aws {
    let reads = Reads { budget: budget.clone(), limit, chance };
    Aws {
        ecs: Arc::new(PacedEcs::new(aws.ecs, reads.clone())),
        load_balancing: Arc::new(PacedLoadBalancing::new(aws.load_balancing, reads.clone())),
        registries: Arc::new(PacedRegistries { inner: aws.registries, reads: reads.clone() }),
        records: Arc::new(PacedRecords { inner: aws.records, reads: reads.clone() }),
        scaling: Arc::new(Paced { inner: aws.scaling, reads: reads.clone() }),
        logs: Arc::new(Paced { inner: aws.logs, reads: reads.clone() }),
        alarms: Arc::new(Paced { inner: aws.alarms, reads: reads.clone() }),
        metrics: Arc::new(Paced { inner: aws.metrics, reads: reads.clone() }),
        identity: Arc::new(Paced { inner: aws.identity, reads }),
        budget,
    }
}
