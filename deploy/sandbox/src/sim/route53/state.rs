//! What Route 53 remembers. It is global: an account has the same zones from every region.

use std::collections::BTreeMap;

/// Everything, by account.
#[derive(Debug, Default)]
pub struct Route53 {
    accounts: BTreeMap<String, Account>,
}

/// One account.
#[derive(Debug, Default)]
pub struct Account {
    /// By id, without the path before it.
    pub zones: BTreeMap<String, Zone>,
    /// By id.
    pub changes: BTreeMap<String, Change>,
}

/// A hosted zone.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Its name, lower case, with a trailing dot.
    pub name: String,
    /// Whether only VPCs see it.
    pub private: bool,
    /// What its maker called the request.
    pub caller_reference: String,
    /// The service that made it and alone may change it: its principal, and the ARN that it is known by there.
    pub managed_by: Option<(String, String)>,
    /// Its record sets as the API tells them, in Route 53's order.
    pub records: Vec<Record>,
    /// What the name servers answer with: sets of records, each from a moment of AWS's time on.
    pub published: Vec<(f64, Vec<Record>)>,
}

/// A record set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Its name, lower case, with a trailing dot.
    pub name: String,
    /// `A`, `CNAME` ...
    pub kind: String,
    /// Its set identifier.
    pub set_identifier: Option<String>,
    /// Its weight, 0 to 255.
    pub weight: Option<u8>,
    /// Its TTL, in seconds.
    pub ttl: u32,
    /// Its values.
    pub values: Vec<String>,
    /// Id of its health check. It is kept; no check is made.
    pub health_check: Option<String>,
}

/// A change.
#[derive(Debug, Clone)]
pub struct Change {
    /// When it was sent, as ISO 8601.
    pub submitted: String,
    /// From when on all name servers have it, in AWS's time.
    pub in_sync_at: f64,
}

impl Route53 {
    /// One account.
    pub fn of(&mut self, account: &str) -> &mut Account {
        self.accounts.entry(account.to_owned()).or_default()
    }

    /// The zone of the longest name that a name lies in, of any account.
    pub fn zone_of(&self, name: &str) -> Option<&Zone> {
        let lies_in = |zone: &&Zone| name == zone.name || name.ends_with(&format!(".{}", zone.name));
        let zones = self.accounts.values().flat_map(|account| account.zones.values());
        zones.filter(lies_in).max_by_key(|zone| zone.name.len())
    }
}

impl Zone {
    /// A zone with the records that every zone has.
    pub fn new(name: &str, private: bool, caller_reference: &str) -> Self {
        let name = absolute(name);
        let record = |kind: &str, ttl: u32, values: &[&str]| Record {
            name: name.clone(),
            kind: kind.to_owned(),
            ttl,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            ..Record::default()
        };
        let records = vec![
            record("NS", 172_800, &["ns-1.awsdns-00.com.", "ns-2.awsdns-00.net."]),
            record("SOA", 900, &["ns-1.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"]),
        ];
        let published = vec![(0.0, records.clone())];
        Self { private, caller_reference: caller_reference.to_owned(), managed_by: None, records, published, name }
    }

    /// What the name servers answer with at this moment of AWS's time.
    pub fn published_at(&self, now: f64) -> &[Record] {
        self.published.iter().rev().find(|(from, _)| *from <= now).map_or(&[], |(_, records)| records)
    }

    /// Other records from a moment on; what nobody can be answered with any more is forgotten.
    pub fn publish(&mut self, now: f64, from: f64, records: Vec<Record>) {
        let current = self.published.iter().rposition(|(from, _)| *from <= now).unwrap_or(0);
        self.published.drain(..current);
        self.published.push((from, records.clone()));
        self.records = records;
    }
}

/// A name in lower case with a trailing dot.
pub fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_answer_with_what_has_reached_them() {
        let mut zone = Zone::new("Example.com", false, "r");
        let more = |number: u8| {
            let mut records = zone_records();
            records.push(Record { name: format!("{number}.example.com."), ..Record::default() });
            records
        };
        zone.publish(0.0, 10.0, more(1));
        zone.publish(5.0, 20.0, more(2));
        let seen = |zone: &Zone, at: f64| zone.published_at(at).last().map(|record| record.name.clone()).unwrap_or_default();
        assert_eq!(seen(&zone, 9.0), "example.com.");
        assert_eq!(seen(&zone, 10.0), "1.example.com.");
        assert_eq!(seen(&zone, 20.0), "2.example.com.");
        zone.publish(30.0, 40.0, more(3));
        assert_eq!(zone.published.len(), 2);
        assert_eq!(seen(&zone, 30.0), "2.example.com.");
    }

    fn zone_records() -> Vec<Record> {
        Zone::new("example.com", false, "r").records
    }
}
