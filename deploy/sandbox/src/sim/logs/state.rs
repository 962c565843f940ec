//! What CloudWatch Logs remembers: groups by account and region, their streams, and the lines in them.

use std::collections::{BTreeMap, VecDeque};

/// Lines that a stream keeps, and streams that a group keeps; the oldest go first. AWS keeps all; nobody reads that many here.
const MOST_EVENTS: usize = 10_000;
const MOST_STREAMS: usize = 5_000;

/// All groups, by account and region.
#[derive(Debug, Default)]
pub struct Logs {
    regions: BTreeMap<(String, String), BTreeMap<String, Group>>,
}

/// A log group.
#[derive(Debug)]
pub struct Group {
    /// When it was created, in milliseconds since 1970.
    pub created_at: u64,
    /// Its streams by name.
    pub streams: BTreeMap<String, Stream>,
    /// How many lines it has ever taken in.
    taken: u64,
}

/// A log stream.
#[derive(Debug)]
pub struct Stream {
    /// When it was created, in milliseconds since 1970.
    pub created_at: u64,
    /// Its events, oldest first.
    pub events: VecDeque<Event>,
    /// How many events it has lost, so that an event's number stays its own.
    pub lost: usize,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number among all lines of its group.
    pub number: u64,
    /// When it was written, in milliseconds since 1970; it is taken in at once.
    pub at: u64,
    /// The text.
    pub message: String,
}

impl Logs {
    /// The groups of an account and region.
    pub fn groups(&mut self, account: &str, region: &str) -> &mut BTreeMap<String, Group> {
        self.regions.entry((account.to_owned(), region.to_owned())).or_default()
    }
}

impl Group {
    /// An empty group.
    pub fn new(created_at: u64) -> Self {
        Self { created_at, streams: BTreeMap::new(), taken: 0 }
    }

    /// Adds a stream if there is none of that name.
    pub fn open(&mut self, stream: &str, now: u64) {
        if self.streams.contains_key(stream) {
            return;
        }
        if self.streams.len() >= MOST_STREAMS {
            let oldest = self.streams.iter().min_by_key(|(_, stream)| stream.created_at).map(|(name, _)| name.clone());
            oldest.map(|oldest| self.streams.remove(&oldest));
        }
        self.streams.insert(stream.to_owned(), Stream { created_at: now, events: VecDeque::new(), lost: 0 });
    }

    /// Adds a line to a stream.
    pub fn write(&mut self, stream: &str, at: u64, message: String) {
        let Some(stream) = self.streams.get_mut(stream) else { return };
        self.taken += 1;
        stream.events.push_back(Event { number: self.taken, at, message });
        if stream.events.len() > MOST_EVENTS {
            stream.events.pop_front();
            stream.lost += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let mut group = Group::new(0);
        group.open("a", 0);
        for number in 0..=MOST_EVENTS {
            group.write("a", 0, number.to_string());
        }
        let stream = &group.streams["a"];
        assert_eq!((stream.events.len(), stream.lost, stream.events[0].message.as_str()), (MOST_EVENTS, 1, "1"));
        for number in 1..=MOST_STREAMS {
            group.open(&number.to_string(), number as u64);
        }
        assert!(group.streams.len() == MOST_STREAMS && !group.streams.contains_key("a"));
    }
}
