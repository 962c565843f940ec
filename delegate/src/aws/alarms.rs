//! CloudWatch's alarms, as the steps ask for them.

use async_trait::async_trait;
use domain::failure::Failure;

/// How an alarm stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmState {
    /// What it watches is as it should be.
    Ok,
    /// It goes off.
    Alarm,
    /// There is not enough data to say.
    InsufficientData,
    /// A state that this version does not know.
    Other(String),
}

/// An alarm, metric or composite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: AlarmState,
    /// Why, in CloudWatch's words; may be empty.
    pub reason: String,
}

/// CloudWatch's alarms.
#[async_trait]
pub trait Alarms: Send + Sync {
    /// These alarms (at most 100), all pages; those that don't exist are left out.
    async fn alarms(&self, names: &[String]) -> Result<Vec<Alarm>, Failure>;
}
