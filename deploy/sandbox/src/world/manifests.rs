//! The documents that describe the world to Segue: what a team would write by hand and keep in git.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::SeededDns;

/// What the tasks run.
#[derive(Debug, Clone)]
pub struct Workload {
    /// Image without its tag.
    pub image: String,
    /// Port the container listens on.
    pub container_port: u16,
    /// Tasks at full size.
    pub desired: u32,
    /// Seconds between the swap and the downsizing of the old version.
    pub delay_seconds: u32,
}

/// The documents, one text a file.
#[derive(Debug, Clone)]
pub struct Manifests {
    /// Name of the file and its text.
    pub files: Vec<(&'static str, String)>,
}

impl Manifests {
    /// Documents for the application `shop` with the service `todolist`, deployed to `cluster` behind `load_balancer`.
    pub fn todolist(workload: &Workload, region: &str, cluster: &str, load_balancer: &str, prod: u16, stage: u16) -> Self {
        Self {
            files: vec![
                ("application.yaml", application()),
                ("service.yaml", service(workload, region)),
                ("environment.yaml", environment()),
                ("infrastructure.yaml", infrastructure(region, cluster)),
                ("workflow.yaml", workflow(workload, load_balancer, prod, stage)),
            ],
        }
    }

    /// The same with DNS leading the traffic.
    #[must_use]
    pub fn by_dns(mut self, workload: &Workload, dns: &SeededDns) -> Self {
        for (name, text) in &mut self.files {
            if *name == "workflow.yaml" {
                *text = dns_workflow(workload, dns);
            }
        }
        self
    }

    /// Writes the files into `dir`.
    ///
    /// # Errors
    /// When the folder can't be made or a file can't be written.
    pub fn write(&self, dir: &Path) -> anyhow::Result<PathBuf> {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        for (name, text) in &self.files {
            let path = dir.join(name);
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(dir.to_owned())
    }
}

fn application() -> String {
    "# An application is a folder of everything below it.\nkind: Application\nname: shop\nspec:\n  description: The shop's services\n"
        .to_owned()
}

fn service(workload: &Workload, region: &str) -> String {
    format!(
        r#"# What is deployed. The task definition is the JSON that `aws ecs register-task-definition --cli-input-json` takes, as YAML;
# whatever is written here reaches AWS.
kind: Service
name: todolist
application: shop
spec:
  image: {image}:${{artifact.tag}}
  taskDefinition:
    networkMode: awsvpc
    requiresCompatibilities: [FARGATE]
    cpu: "256"
    memory: "512"
    executionRoleArn: ${{EXECUTION_ROLE}}
    containerDefinitions:
      - name: ${{CONTAINER_NAME}}
        image: ${{DOCKER_IMAGE_NAME}}
        essential: true
        portMappings:
          - containerPort: {port}
            protocol: tcp
        logConfiguration:
          logDriver: awslogs
          options:
            awslogs-group: /shop/todolist
            awslogs-region: {region}
            awslogs-stream-prefix: ecs
            awslogs-create-group: "true"
  serviceDefinition:
    healthCheckGracePeriodSeconds: 30
"#,
        image = workload.image,
        port = workload.container_port
    )
}

fn environment() -> String {
    "kind: Environment\nname: prod\napplication: shop\nspec:\n  type: production\n".to_owned()
}

fn infrastructure(region: &str, cluster: &str) -> String {
    format!(
        r#"# Where it is deployed to.
kind: Infrastructure
name: prod-ecs
application: shop
spec:
  environment: prod
  region: {region}
  cluster: {cluster}
  launchType: FARGATE
  subnets: [subnet-0aaaaaaaaaaaaaaa1, subnet-0bbbbbbbbbbbbbbb2]
  securityGroups: [sg-0cccccccccccccccc]
  executionRole: arn:aws:iam::123456789012:role/ecsTaskExecutionRole
"#
    )
}

fn workflow(workload: &Workload, load_balancer: &str, prod: u16, stage: u16) -> String {
    format!(
        r#"# How it is deployed: blue/green behind a load balancer.
kind: Workflow
name: todolist-blue-green
application: shop
spec:
  type: blueGreen
  switch: loadBalancer
  service: todolist
  environment: prod
  infrastructure: prod-ecs
  variables:
    DesiredInstances: 100%
  phases:
    - name: Phase 1
      steps:
        - blueGreenLoadBalancerSetup:
            serviceName: ecs__blue__green__elb
            desiredCount:
              fixed: {desired}
            loadBalancer: {load_balancer}
            prodListener: {prod}
            stageListener: {stage}
        - upgradeContainers:
            desired: ${{workflow.variables.DesiredInstances}}
        - httpCheck:
            stage: /healthz
            consecutive: 3
            interval: 200ms
        - swapTargetGroups:
            downsizeOld: true
            delay: {delay}s
            probe: /healthz
"#,
        desired = workload.desired,
        delay = workload.delay_seconds
    )
}

fn dns_workflow(workload: &Workload, dns: &SeededDns) -> String {
    format!(
        r#"# How it is deployed: blue/green by weighted DNS records.
kind: Workflow
name: todolist-blue-green
application: shop
spec:
  type: blueGreen
  switch: dns
  service: todolist
  environment: prod
  infrastructure: prod-ecs
  variables:
    DesiredInstances: 100%
  phases:
    - name: Phase 1
      steps:
        - blueGreenRoute53Setup:
            serviceName: ecs_bg_dns
            desiredCount:
              fixed: {desired}
            specification1:
              registryArn: {registry1}
              containerName: ${{CONTAINER_NAME}}
              containerPort: {port}
            specification2:
              registryArn: {registry2}
              containerName: ${{CONTAINER_NAME}}
              containerPort: {port}
            aliasName: {alias}.
            hostedZone: {zone}
        - upgradeContainers:
            desired: ${{workflow.variables.DesiredInstances}}
        - changeRoute53Weights:
            newWeight: 100
            oldWeight: 0
            ttl: 2
            downsizeOld: true
"#,
        desired = workload.desired,
        port = workload.container_port,
        registry1 = dns.registry1,
        registry2 = dns.registry2,
        alias = dns.alias,
        zone = dns.zone,
    )
}
