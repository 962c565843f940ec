//! Cloud Map over the SDK.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_servicediscovery::{Client, config::Builder};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::failure::Failure;

use super::{
    failure::{Call, failure},
    request_ids::RequestIds,
};
use crate::aws::{
    model::{Namespace, Registry},
    ports::Registries,
};

/// The attribute that ECS registers a task's address under.
const ADDRESS: &str = "AWS_INSTANCE_IPV4";

/// Cloud Map. The delegate only reads it: ECS registers tasks itself.
pub(super) struct CloudMap {
    client: Client,
}

impl CloudMap {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self { client: Client::from_conf(Builder::from(config).interceptor(RequestIds("servicediscovery")).build()) }
    }
}

#[async_trait]
impl Registries for CloudMap {
    async fn registry(&self, id: &str) -> Result<Option<Registry>, Failure> {
        let what = format!("read the Cloud Map service {id}");
        let call = Call { operation: "servicediscovery:GetService", writes: false, what: &what };
        let answer = match self.client.get_service().id(id).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ServiceNotFound") => return Ok(None),
            Err(error) => return Err(failure(call, &error)),
        };
        Ok(answer.service().map(|service| {
            let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
            let dns = service.dns_config();
            let records = dns.map(|dns| dns.dns_records()).unwrap_or_default();
            Registry {
                id: text(service.id()),
                arn: text(service.arn()),
                name: text(service.name()),
                namespace: match service.namespace_id() {
                    Some(id) if !id.is_empty() => id.to_owned(),
                    _ => text(dns.and_then(|dns| {
                        #[expect(deprecated, reason = "older answers hold the namespace only there")]
                        dns.namespace_id()
                    })),
                },
                records: records
                    .iter()
                    .map(|record| (record.r#type().as_str().to_owned(), u32::try_from(record.ttl()).unwrap_or_default()))
                    .collect(),
            }
        }))
    }

    async fn namespace(&self, id: &str) -> Result<Option<Namespace>, Failure> {
        let what = format!("read the Cloud Map namespace {id}");
        let call = Call { operation: "servicediscovery:GetNamespace", writes: false, what: &what };
        let answer = match self.client.get_namespace().id(id).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("NamespaceNotFound") => return Ok(None),
            Err(error) => return Err(failure(call, &error)),
        };
        Ok(answer.namespace().map(|namespace| Namespace {
            id: namespace.id().unwrap_or_default().to_owned(),
            name: namespace.name().unwrap_or_default().to_owned(),
            kind: namespace.r#type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        }))
    }

    async fn addresses(&self, id: &str) -> Result<Vec<String>, Failure> {
        let what = format!("list the instances of the Cloud Map service {id}");
        let call = Call { operation: "servicediscovery:ListInstances", writes: false, what: &what };
        let mut pages = self.client.list_instances().service_id(id).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failure(call, &error))?;
            let attributes = page.instances().iter().filter_map(|instance| instance.attributes());
            found.extend(attributes.filter_map(|attributes| attributes.get(ADDRESS)).cloned());
        }
        Ok(found)
    }
}
