//! Following what ECS says about a service: each event once, in the order they happened, and whether the latest word is that it is
//! steady.

use std::collections::HashSet;

use crate::{
    aws::model::{Service, ServiceEvent},
    executor::Console,
};

/// The events of one service from some moment on.
#[derive(Debug)]
pub(super) struct Events {
    known: HashSet<String>,
    since_ms: Option<i64>,
    steady: bool,
    any: bool,
}

impl Events {
    /// Events that this look at the service does not show yet.
    pub(super) fn after(service: &Service) -> Self {
        let known = service.events.iter().map(|event| event.id.clone()).collect();
        Self { known, since_ms: None, steady: false, any: !service.events.is_empty() }
    }

    /// Events later than this moment, milliseconds since 1970-01-01 UTC by AWS's clock.
    pub(super) fn since(at_ms: i64) -> Self {
        Self { known: HashSet::new(), since_ms: Some(at_ms), steady: false, any: false }
    }

    /// The events that this look shows for the first time, oldest first.
    pub(super) fn news<'s>(&mut self, service: &'s Service) -> Vec<&'s ServiceEvent> {
        let mut news = Vec::new();
        // AWS gives the newest first.
        for event in service.events.iter().rev() {
            self.any = true;
            if self.since_ms.is_some_and(|since| event.at_ms <= since) || !self.known.insert(event.id.clone()) {
                continue;
            }
            if event.message.contains(" has reached a steady state") {
                self.steady = true;
            } else if event.message.contains(" has started ") {
                self.steady = false;
            }
            news.push(event);
        }
        news
    }

    /// Says the news on the console; whether there were any.
    pub(super) fn tell(&mut self, console: &Console, service: &Service) -> bool {
        let news = self.news(service);
        for event in &news {
            console.info(format!("AWS Event: {}", event.message));
        }
        !news.is_empty()
    }

    /// Whether ECS said that the service is steady and started no task since. "Steady" alone is not enough: a service that was
    /// just created at 0, and one that is about to be resized, is announced as steady too.
    pub(super) fn steady(&self) -> bool {
        self.steady
    }

    /// Whether ECS says anything about the service at all (not every AWS-like endpoint does).
    pub(super) fn any(&self) -> bool {
        self.any
    }
}

/// When ECS last did anything to the service that it told of: AWS's own clock. 0 if it told nothing.
pub(super) fn latest_ms(service: &Service) -> i64 {
    service.events.iter().map(|event| event.at_ms).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, at_ms: i64, text: &str) -> ServiceEvent {
        ServiceEvent { id: id.into(), at_ms, message: format!("(service s) {text}") }
    }

    fn service(events: Vec<ServiceEvent>) -> Service {
        Service { events, ..Service::default() }
    }

    #[test]
    fn each_is_told_once_oldest_first_and_steady_counts_only_after_the_last_start() {
        let steady = |id, at| event(id, at, "has reached a steady state.");
        let first = service(vec![steady("1", 10)]);
        let mut events = Events::after(&first);
        assert!(events.news(&first).is_empty() && !events.steady());
        let second = service(vec![event("3", 30, "has started 2 tasks: (task a) (task b)."), steady("2", 20), steady("1", 10)]);
        let told: Vec<_> = events.news(&second).into_iter().map(|event| event.id.as_str()).collect();
        assert_eq!(told, ["2", "3"]);
        assert!(!events.steady());
        let mut third = second.clone();
        third.events.insert(0, steady("4", 40));
        assert_eq!(events.news(&third).len(), 1);
        assert!(events.steady());
    }

    #[test]
    fn a_later_attempt_begins_at_the_recorded_moment() {
        let now = service(vec![event("2", 20, "has started 1 tasks: (task a)."), event("1", 10, "has reached a steady state.")]);
        let mut events = Events::since(10);
        assert_eq!(events.news(&now).len(), 1);
        assert_eq!(latest_ms(&now), 20);
    }
}
