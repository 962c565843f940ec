//! Everything there is in the account. Time comes in as milliseconds since the beginning of the world.

use std::collections::BTreeMap;

use delegate::aws::model::{Listener, Service, ServiceEvent, TaskDefinition};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

/// How a version's tasks do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// They run and answer.
    Good,
    /// They end a moment after their start.
    Crashes,
    /// They run and never answer.
    Ill,
}

impl Quality {
    /// By the image's tag.
    pub fn of(image: &str) -> Self {
        match image.rsplit(':').next() {
            Some(tag) if tag.starts_with("crash") => Self::Crashes,
            Some(tag) if tag.starts_with("ill") => Self::Ill,
            _ => Self::Good,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct SimTask {
    pub(super) number: u32,
    pub(super) created: u64,
    /// It runs from here on.
    pub(super) up: u64,
    /// It answers from here on.
    pub(super) healthy: u64,
    /// It is gone from here on.
    pub(super) stopped: Option<u64>,
    pub(super) crashed: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct SimService {
    pub(super) base: Service,
    pub(super) quality: Quality,
    pub(super) tasks: Vec<SimTask>,
    /// ECS starts no task before.
    pub(super) resting_until: u64,
    pub(super) announced: bool,
}

/// What is there.
#[derive(Clone)]
pub struct Account {
    pub(super) services: BTreeMap<String, SimService>,
    pub(super) definitions: Vec<Definition>,
    pub(super) created: Vec<Value>,
    pub(super) listeners: Vec<Listener>,
    /// Since when a target group is led to, for those that are.
    pub(super) led_since: BTreeMap<String, u64>,
    pub(super) numbers: u32,
    pub(super) rng: StdRng,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Definition {
    pub(super) family: String,
    pub(super) image: String,
    pub(super) definition: TaskDefinition,
}

/// The line's family, and the load balancer's name.
pub fn line_name(line: usize) -> String {
    format!("line{line}")
}

/// A target group of a line: 1 or 2.
pub fn group(line: &str, number: u8) -> String {
    format!("arn:tg/{line}/{number}")
}

/// A service's ARN.
pub fn service_arn(name: &str) -> String {
    format!("arn:service/main/{name}")
}

fn listener(line: &str, name: &str, port: u16, group: &str) -> Listener {
    Listener {
        arn: format!("arn:listener/{line}/{name}"),
        load_balancer: format!("arn:lb/{line}"),
        port,
        protocol: "HTTP".into(),
        actions: json!([{"Type": "forward", "Order": 1, "TargetGroupArn": group, "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": group, "Weight": 1}], "TargetGroupStickinessConfig": {"Enabled": false}}}]),
    }
}

impl Account {
    /// So many lines, each with revision 2 live at two tasks and revision 1 left over.
    pub fn new(lines: usize, seed: u64) -> Self {
        let mut account = Self {
            services: BTreeMap::new(),
            definitions: Vec::new(),
            created: Vec::new(),
            listeners: Vec::new(),
            led_since: BTreeMap::new(),
            numbers: 0,
            rng: StdRng::seed_from_u64(seed),
        };
        for line in (0..lines).map(line_name) {
            let (first, second) = (group(&line, 1), group(&line, 2));
            account.listeners.push(listener(&line, "prod", 80, &second));
            account.listeners.push(listener(&line, "stage", 8080, &first));
            account.led_since.extend([(first.clone(), 0), (second.clone(), 0)]);
            for (revision, colour, group, count) in [(1, "GREEN", first, 0), (2, "BLUE", second, 2)] {
                let arn = account.define(&line, &format!("{line}:old"), BTreeMap::new()).arn;
                let name = format!("{line}__{revision}");
                let tags = BTreeMap::from([("BG_VERSION".to_owned(), colour.to_owned())]);
                account.services.insert(name.clone(), SimService::new(&name, &arn, vec![group], tags, Quality::Good));
                account.resize(&name, count, 0);
                for task in account.services.get_mut(&name).into_iter().flat_map(|service| &mut service.tasks) {
                    (task.up, task.healthy) = (0, 0);
                }
                account.advance(0);
            }
        }
        account
    }

    /// Registers a revision.
    pub(super) fn define(&mut self, family: &str, image: &str, tags: BTreeMap<String, String>) -> TaskDefinition {
        let revision = self.definitions.iter().filter(|known| known.family == family).count() + 1;
        let revision = i32::try_from(revision).unwrap_or(i32::MAX);
        let definition = TaskDefinition { arn: format!("arn:td/{family}:{revision}"), revision, tags };
        self.definitions.push(Definition { family: family.into(), image: image.into(), definition: definition.clone() });
        definition
    }

    pub(super) fn event(&mut self, name: &str, at: u64, text: &str) {
        self.numbers += 1;
        let event = ServiceEvent {
            id: format!("event-{}", self.numbers),
            at_ms: crate::clock::BEGINNING_MS + i64::try_from(at).unwrap_or(0),
            message: format!("(service {name}) {text}"),
        };
        if let Some(service) = self.services.get_mut(name) {
            service.base.events.insert(0, event);
            service.base.events.truncate(100);
        }
    }
}
