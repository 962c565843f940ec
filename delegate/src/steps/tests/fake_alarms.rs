//! CloudWatch's alarms in memory: each look gets the next answer, the last one for ever.

use async_trait::async_trait;
use domain::failure::Failure;

use super::fake_aws::FakeAws;
use crate::aws::alarms::{Alarm, AlarmState, Alarms};

/// An alarm that stands so.
pub(super) fn alarm(name: &str, state: AlarmState, reason: &str) -> Alarm {
    Alarm { name: name.to_owned(), state, reason: reason.to_owned() }
}

#[async_trait]
impl Alarms for FakeAws {
    async fn alarms(&self, names: &[String]) -> Result<Vec<Alarm>, Failure> {
        self.calls.lock().expect("no panic").push("DescribeAlarms");
        let mut looks = self.alarms.lock().expect("no panic");
        let now = if looks.len() > 1 { looks.remove(0) } else { looks.first().cloned().unwrap_or_default() };
        Ok(now.into_iter().filter(|alarm| names.contains(&alarm.name)).collect())
    }
}
