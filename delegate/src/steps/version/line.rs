//! The services of a line: which of them serves production, which is to be deleted, and what is in the way.

use domain::ids::DeploymentId;

use super::super::markers::{self, BLUE, GREEN};
use crate::aws::model::Service;

/// What the line's services are to this deployment.
pub(in super::super) struct Line {
    pub(in super::super) old: Option<Service>,
    pub(in super::super) green: Vec<Service>,
}

/// What production leads to.
pub(in super::super) struct Serving<'a> {
    /// Whether a service is found there.
    pub(in super::super) holds: &'a dyn Fn(&Service) -> bool,
    /// What it is: `production target group X`, `production registry X`.
    pub(in super::super) place: String,
    /// What leads there: `forwards to target group X`.
    pub(in super::super) leads: String,
    /// What a person would correct: `the production listener`, `the records of X`.
    pub(in super::super) leader: String,
}

/// Finds out, and adds what is wrong.
pub(in super::super) fn line(
    deployment: DeploymentId,
    services: &[Service],
    serving: &Serving<'_>,
    findings: &mut Vec<String>,
) -> Line {
    // What an earlier attempt of this very step created is none of the line's past.
    let past: Vec<&Service> =
        services.iter().filter(|service| service.is_active() && !markers::made_by(&service.tags, deployment)).collect();
    let in_prod = serving.holds;
    let alive = |service: &Service| service.desired > 0 || service.running > 0;
    let there: Vec<&&Service> = past.iter().filter(|service| in_prod(service) && alive(service)).collect();
    if there.len() > 1 {
        let names: Vec<_> = there.iter().map(|service| service.name.as_str()).collect();
        findings.push(format!(
            "The services {} all run in the {}; bring all but the one that serves to 0.",
            names.join(", "),
            serving.place
        ));
    }
    let old = there.first().map(|service| (**service).clone());
    for service in &past {
        let colour = markers::colour(service);
        if colour == Some(BLUE) && !in_prod(service) {
            let serves = old.as_ref().map_or("no service of the line".to_owned(), |old| old.name.clone());
            findings.push(format!(
                "The service {} is tagged {}:{BLUE}, but production {}, to which {serves} belongs. Correct the tag, or {}.",
                service.name,
                markers::BG_VERSION,
                serving.leads,
                serving.leader
            ));
        }
        if colour == Some(GREEN) && in_prod(service) && alive(service) {
            findings.push(format!(
                "The service {} is tagged {}:{GREEN}, which would be deleted now, but its tasks run in the {}. Correct the tag.",
                service.name,
                markers::BG_VERSION,
                serving.place
            ));
        }
        busy(service, findings);
    }
    let green = past.iter().filter(|service| markers::colour(service) == Some(GREEN) && !(in_prod(service) && alive(service)));
    Line { old, green: green.map(|service| (*service).clone()).collect() }
}

/// Whether somebody else is deploying to a service of the line.
fn busy(service: &Service, findings: &mut Vec<String>) {
    let name = &service.name;
    if let Some(controller) = service.controller.as_deref().filter(|controller| *controller != "ECS") {
        findings.push(format!("The service {name} is controlled by {controller}; Segue's blue/green needs the controller ECS."));
    }
    if let Some(strategy) = service.strategy.as_deref().filter(|strategy| *strategy != "ROLLING") {
        findings.push(format!(
            "The service {name} has the deployment strategy {strategy}: ECS moves its listeners itself, against Segue. Change it to ROLLING."
        ));
    }
    if service.is_rolling_out() {
        findings.push(format!(
            "ECS is deploying to the service {name} right now ({} deployments, {} of {} tasks running). Wait until it is steady.",
            service.deployments.len(),
            service.running,
            service.desired
        ));
    }
}
