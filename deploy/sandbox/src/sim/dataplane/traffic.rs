//! Who was served: requests per target group and version.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

/// Counts.
#[derive(Debug, Default)]
pub struct Traffic {
    served: Mutex<BTreeMap<String, BTreeMap<String, u64>>>,
}

impl Traffic {
    /// One request that a target answered.
    pub fn count(&self, group: &str, version: &str) {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = served.get_mut(group).and_then(|versions| versions.get_mut(version)) {
            *count += 1;
            return;
        }
        *served.entry(group.to_owned()).or_default().entry(version.to_owned()).or_default() += 1;
    }

    /// All of it.
    pub fn counts(&self) -> Value {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_value(&*served).unwrap_or_default()
    }
}
