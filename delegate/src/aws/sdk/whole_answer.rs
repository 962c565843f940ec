//! An answer's JSON whole: the SDK's types drop the members that their version does not know, and a comparison must not.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::AfterDeserializationInterceptorContextRef},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

/// Keeps the body of the last answer. For `.customize().interceptor(..)`.
#[derive(Debug, Clone, Default)]
pub(super) struct WholeAnswer(Arc<Mutex<Value>>);

impl WholeAnswer {
    /// The answer; null if there was none that is JSON.
    pub(super) fn take(&self) -> Value {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Intercept for WholeAnswer {
    fn name(&self) -> &'static str {
        "WholeAnswer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = serde_json::from_slice(body).unwrap_or_default();
        Ok(())
    }
}
