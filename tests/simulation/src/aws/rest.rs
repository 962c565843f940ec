//! What the account has none of: DNS, auto scaling, alarms, metrics; and who the delegate is.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use delegate::aws::{
    alarms::{Alarm, Alarms},
    budget::paced,
    metrics::{GroupBehind, Metrics, PeriodStart},
    model::{CallerIdentity, HostedZone, Namespace, RecordChange, RecordSet, Registry},
    ports::{Aws, AwsAccess, ContainerLogs, Identity, Records, Registries, Scaling},
};
use domain::{failure::Failure, infrastructure::InfrastructureSpec, step::AutoScaling};
use serde_json::Value;

use super::{
    call::{DelegatesAws, READ},
    failures::refused,
};

#[async_trait]
impl AwsAccess for DelegatesAws {
    async fn connect(&self, infrastructure: &InfrastructureSpec) -> Result<Aws, Failure> {
        let port = Arc::new(self.clone());
        let budget = self.budgets.of(None, &infrastructure.region);
        let aws = Aws {
            ecs: port.clone(),
            load_balancing: port.clone(),
            registries: port.clone(),
            records: port.clone(),
            scaling: port.clone(),
            logs: port.clone(),
            alarms: port.clone(),
            metrics: port.clone(),
            identity: port,
            budget: budget.clone(),
        };
        // As the SDK's ports are: reads take turns, are shared and tried again.
        Ok(paced(aws, budget, READ, self.chance.clone()))
    }
}

fn none_of_this<T>(operation: &str) -> Result<T, Failure> {
    Err(refused(operation, "AccessDeniedException", "The simulated account has nothing of this kind."))
}

#[async_trait]
impl Registries for DelegatesAws {
    async fn registry(&self, _id: &str) -> Result<Option<Registry>, Failure> {
        Ok(None)
    }

    async fn namespace(&self, _id: &str) -> Result<Option<Namespace>, Failure> {
        Ok(None)
    }

    async fn addresses(&self, _id: &str) -> Result<Vec<String>, Failure> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Records for DelegatesAws {
    async fn zone(&self, _id: &str) -> Result<Option<HostedZone>, Failure> {
        Ok(None)
    }

    async fn zones_named(&self, _name: &str) -> Result<Vec<HostedZone>, Failure> {
        Ok(Vec::new())
    }

    async fn record_sets(&self, _zone: &str, _name: &str) -> Result<Vec<RecordSet>, Failure> {
        Ok(Vec::new())
    }

    async fn change(&self, _zone: &str, _name: &str, _changes: &[RecordChange]) -> Result<String, Failure> {
        none_of_this("ChangeResourceRecordSets")
    }

    async fn in_sync(&self, _change: &str) -> Result<bool, Failure> {
        none_of_this("GetChange")
    }
}

#[async_trait]
impl Scaling for DelegatesAws {
    async fn of(&self, _resource: &str) -> Result<Option<AutoScaling>, Failure> {
        Ok(None)
    }

    async fn register(&self, _resource: &str, _target: &Value) -> Result<(), Failure> {
        none_of_this("RegisterScalableTarget")
    }

    async fn put_policy(&self, _resource: &str, _policy: &Value) -> Result<(), Failure> {
        none_of_this("PutScalingPolicy")
    }

    async fn delete_policy(&self, _resource: &str, _name: &str) -> Result<(), Failure> {
        Ok(())
    }

    async fn deregister(&self, _resource: &str) -> Result<(), Failure> {
        Ok(())
    }
}

#[async_trait]
impl ContainerLogs for DelegatesAws {
    async fn last_lines(&self, _group: &str, _stream: &str, _region: Option<&str>, _limit: u16) -> Result<Vec<String>, Failure> {
        none_of_this("GetLogEvents")
    }
}

#[async_trait]
impl Alarms for DelegatesAws {
    async fn alarms(&self, _names: &[String]) -> Result<Vec<Alarm>, Failure> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Metrics for DelegatesAws {
    async fn requests(
        &self,
        groups: &[GroupBehind],
        _period: Duration,
        _from: PeriodStart,
        _to: PeriodStart,
    ) -> Result<Vec<BTreeMap<PeriodStart, f64>>, Failure> {
        Ok(vec![BTreeMap::new(); groups.len()])
    }
}

#[async_trait]
impl Identity for DelegatesAws {
    async fn caller(&self) -> Result<CallerIdentity, Failure> {
        Ok(CallerIdentity { account: "123456789012".into(), arn: "arn:aws:iam::123456789012:user/delegate".into() })
    }
}
