//! Notes the request id of every answer (see [`crate::aws::requests`]).

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::AfterDeserializationInterceptorContextRef},
        orchestrator::Metadata,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

use crate::aws::requests::answered;

/// For the clients of one service, named as in its operations: `ecs`.
#[derive(Debug)]
pub(super) struct RequestIds(pub(super) &'static str);

impl Intercept for RequestIds {
    fn name(&self) -> &'static str {
        "RequestIds"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        let id = headers.get("x-amzn-requestid").or_else(|| headers.get("x-amz-request-id"));
        if let (Some(id), Some(metadata)) = (id, config.load::<Metadata>()) {
            answered(format!("{}:{}", self.0, metadata.name()), id.chars().take(128).collect());
        }
        Ok(())
    }
}
