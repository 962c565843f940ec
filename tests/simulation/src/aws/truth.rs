//! What is really so in the account, whatever was reported.

use std::collections::BTreeMap;

use delegate::aws::actions::forward_targets;
use domain::ids::DeploymentId;

use super::{
    account::{Account, line_name},
    cloud::Cloud,
};

/// How a line stands: what has to be as before when a deployment was rolled back.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Where each listener leads.
    pub leads: BTreeMap<String, Vec<(String, u32)>>,
    /// Desired count and colour of each service that has tasks, or should.
    pub services: BTreeMap<String, (u32, Option<String>)>,
}

impl Account {
    fn lines(&self) -> impl Iterator<Item = String> {
        (0..self.listeners.len() / 2).map(line_name)
    }

    /// Where production of a line leads.
    pub(super) fn prod_groups(&self, line: &str) -> Vec<String> {
        let arn = format!("arn:listener/{line}/prod");
        let prod = self.listeners.iter().find(|listener| listener.arn == arn);
        let led = prod.into_iter().flat_map(|listener| forward_targets(&listener.actions));
        led.filter(|(_, weight)| *weight > 0).map(|(group, _)| group).collect()
    }

    fn standing(&self, line: &str) -> Standing {
        let of_line = |arn: &str| arn.contains(&format!("/{line}/"));
        let leads = self.listeners.iter().filter(|listener| of_line(&listener.arn));
        let services = self.services.values().filter(|service| service.base.name.starts_with(&format!("{line}__")));
        Standing {
            leads: leads.map(|listener| (listener.arn.clone(), forward_targets(&listener.actions))).collect(),
            services: services
                .filter(|service| service.base.desired > 0)
                .map(|service| (service.base.name.clone(), (service.base.desired, service.base.tags.get("BG_VERSION").cloned())))
                .collect(),
        }
    }
}

impl Standing {
    /// Whether everything is as it was before. What an aborted deployment had left running beside production, tagged `GREEN`, may
    /// have been cleared away by the setup; nothing else may run that did not.
    fn is_back(&self, before: &Self) -> bool {
        let green = |colour: &Option<String>| colour.as_deref() == Some("GREEN");
        let kept = before.services.iter().filter(|(_, (_, colour))| !green(colour));
        self.leads == before.leads
            && kept.clone().all(|(name, service)| self.services.get(name) == Some(service))
            && self.services.iter().all(|(name, service)| before.services.get(name) == Some(service))
    }
}

/// Lines whose production leads to a group without a healthy target.
pub(super) fn unserved(account: &Account, now: u64) -> Vec<String> {
    let served = |line: &String| {
        let groups = account.prod_groups(line);
        groups.iter().all(|group| account.targets(group, now).iter().any(|target| target.is_healthy()))
    };
    account.lines().filter(|line| !served(line)).collect()
}

/// What is wrong with the account after a deployment of `image` on `line` that is said to have succeeded, or to be rolled back.
pub fn ended_well(cloud: &Cloud, deployment: DeploymentId, line: &str, image: &str, succeeded: bool) -> Result<(), String> {
    let state = &mut *cloud.lock();
    cloud.advance(state);
    let (account, now) = match state.after.get(&deployment) {
        Some((account, at)) => (account, *at),
        None => (&state.account, cloud.now()),
    };
    let after = account.standing(line);
    if !succeeded {
        // A deployment that never wrote left everything as it was.
        let before = state.before.get(&deployment).map_or_else(|| after.clone(), |before| before.standing(line));
        return if after.is_back(&before) { Ok(()) } else { Err(format!("{after:?} was {before:?}")) };
    }
    let live: Vec<_> = account.services.values().filter(|service| service.base.name.starts_with(&format!("{line}__"))).collect();
    let revision = account.definitions.iter().filter(|known| known.family == line && known.image == image).collect::<Vec<_>>();
    let made: Vec<_> =
        revision.iter().filter(|known| known.definition.tags.values().any(|tag| *tag == deployment.to_string())).collect();
    let [made] = made.as_slice() else {
        return Err(format!("{} revisions of {image} bear the deployment's tag", made.len()));
    };
    let new = live.iter().find(|service| service.base.task_definition == made.definition.arn);
    let new = new.ok_or_else(|| format!("no service runs {}", made.definition.arn))?;
    let groups = account.prod_groups(line);
    if groups != new.base.target_groups {
        return Err(format!("production leads to {groups:?}, and the new version is in {:?}", new.base.target_groups));
    }
    let healthy = account.targets(&groups[0], now).iter().filter(|target| target.is_healthy()).count();
    if healthy != usize::try_from(new.base.desired).unwrap_or(0) || new.base.desired == 0 {
        return Err(format!("{healthy} of {} targets are healthy", new.base.desired));
    }
    let blue = |service: &super::account::SimService| service.base.tags.get("BG_VERSION").is_some_and(|colour| colour == "BLUE");
    let wrong = live.iter().find(|service| blue(service) != (service.base.name == new.base.name));
    if let Some(wrong) = wrong {
        return Err(format!("{} is tagged {:?}", wrong.base.name, wrong.base.tags.get("BG_VERSION")));
    }
    match live.iter().find(|service| service.base.desired > 0 && service.base.name != new.base.name) {
        Some(old) => Err(format!("{} still runs {} tasks", old.base.name, old.base.desired)),
        None => Ok(()),
    }
}

/// Revisions that bear a deployment's tag: one at most, however often it was tried.
pub fn revisions(cloud: &Cloud, deployment: DeploymentId) -> usize {
    let made = deployment.to_string();
    let state = cloud.lock();
    state.account.definitions.iter().filter(|known| known.definition.tags.values().any(|tag| *tag == made)).count()
}
