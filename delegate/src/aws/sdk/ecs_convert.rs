//! From the SDK's ECS types to ours. A member that AWS left out becomes the empty value; whether that will do is for the steps.

use std::collections::BTreeMap;

use aws_sdk_ecs::{primitives::DateTime, types as sdk};

use crate::aws::model::{Cluster, Service, ServiceDeployment, ServiceEvent, Task, TaskContainer, TaskDefinition};

fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

fn count(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn millis(at: &DateTime) -> i64 {
    at.to_millis().unwrap_or_default()
}

pub(super) fn tags(tags: &[sdk::Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (text(tag.key()), text(tag.value()))).collect()
}

pub(super) fn cluster(cluster: &sdk::Cluster) -> Cluster {
    Cluster { name: text(cluster.cluster_name()), arn: text(cluster.cluster_arn()), status: text(cluster.status()) }
}

pub(super) fn service(service: &sdk::Service) -> Service {
    let strategy = service.deployment_configuration().and_then(|configuration| configuration.strategy());
    Service {
        name: text(service.service_name()),
        arn: text(service.service_arn()),
        status: text(service.status()),
        desired: count(service.desired_count()),
        running: count(service.running_count()),
        pending: count(service.pending_count()),
        task_definition: text(service.task_definition()),
        deployments: service.deployments().iter().map(deployment).collect(),
        events: service.events().iter().map(event).collect(),
        target_groups: service
            .load_balancers()
            .iter()
            .filter_map(|balancer| balancer.target_group_arn().map(str::to_owned))
            .collect(),
        registries: service
            .service_registries()
            .iter()
            .filter_map(|registry| registry.registry_arn().map(str::to_owned))
            .collect(),
        health_check_grace_seconds: service.health_check_grace_period_seconds().map(count).unwrap_or_default(),
        controller: service.deployment_controller().map(|controller| controller.r#type().as_str().to_owned()),
        strategy: strategy.map(|strategy| strategy.as_str().to_owned()),
        tags: tags(service.tags()),
    }
}

fn deployment(deployment: &sdk::Deployment) -> ServiceDeployment {
    ServiceDeployment {
        id: text(deployment.id()),
        status: text(deployment.status()),
        failed_tasks: count(deployment.failed_tasks()),
        rollout_state: deployment.rollout_state().map(|state| state.as_str().to_owned()),
        rollout_reason: deployment.rollout_state_reason().map(str::to_owned),
    }
}

fn event(event: &sdk::ServiceEvent) -> ServiceEvent {
    ServiceEvent {
        id: text(event.id()),
        at_ms: event.created_at().map(millis).unwrap_or_default(),
        message: text(event.message()),
    }
}

pub(super) fn task_definition(definition: &sdk::TaskDefinition, with: &[sdk::Tag]) -> TaskDefinition {
    TaskDefinition { arn: text(definition.task_definition_arn()), revision: definition.revision(), tags: tags(with) }
}

pub(super) fn task(task: &sdk::Task) -> Task {
    Task {
        arn: text(task.task_arn()),
        last_status: text(task.last_status()),
        stopped_reason: task.stopped_reason().map(str::to_owned),
        stop_code: task.stop_code().map(|code| code.as_str().to_owned()),
        created_at_ms: task.created_at().map(millis),
        stopped_at_ms: task.stopped_at().map(millis),
        address: address(task),
        containers: task.containers().iter().map(container).collect(),
    }
}

fn container(container: &sdk::Container) -> TaskContainer {
    TaskContainer {
        name: text(container.name()),
        exit_code: container.exit_code(),
        reason: container.reason().map(str::to_owned),
    }
}

/// The task's own address: of its network interface, which containers name too.
fn address(task: &sdk::Task) -> Option<String> {
    let of_containers = task
        .containers()
        .iter()
        .flat_map(sdk::Container::network_interfaces)
        .find_map(sdk::NetworkInterface::private_ipv4_address);
    let of_attachments = || {
        task.attachments()
            .iter()
            .flat_map(sdk::Attachment::details)
            .find(|detail| detail.name() == Some("privateIPv4Address"))
            .and_then(sdk::KeyValuePair::value)
    };
    of_containers.or_else(of_attachments).map(str::to_owned)
}
