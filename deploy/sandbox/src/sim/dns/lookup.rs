//! What stands under a name at a moment: a zone's records, or the instances of a Cloud Map service.

use std::net::Ipv4Addr;

use rand::{Rng, rngs::StdRng, seq::SliceRandom as _};

use crate::sim::{
    cloud_map::{Registry, instances},
    route53::{Record, absolute},
    simulator::State,
};

/// The most instances that Cloud Map answers with.
const MOST_INSTANCES: usize = 8;

/// One thing that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Another name.
    Alias { name: String, ttl: u32 },
    /// An address.
    Address { address: Ipv4Addr, ttl: u32 },
    /// A port at a name; its address is told beside it.
    Place { target: String, port: u16, address: Option<Ipv4Addr>, ttl: u32 },
    /// A text of another type, not told over the wire.
    Other { kind: String },
}

/// What a name holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// No zone of ours.
    Outside,
    /// In a zone of ours, and not there; the zone's name.
    Missing(String),
    /// These, and the zone's name.
    There(Vec<Found>, String),
}

/// Looks a name (lower case, with a trailing dot) up, at `now` in AWS's time.
pub fn look_up(state: &State, now: f64, name: &str, random: &mut StdRng) -> Name {
    let Some(zone) = state.route53.zone_of(name) else { return Name::Outside };
    if let Some(found) = registered(state, name, random) {
        return Name::There(found, zone.name.clone());
    }
    let records: Vec<&Record> = zone.published_at(now).iter().filter(|record| record.name == name).collect();
    if records.is_empty() {
        return Name::Missing(zone.name.clone());
    }
    let mut found = Vec::new();
    let weighted: Vec<&Record> = records.iter().filter(|record| record.weight.is_some()).copied().collect();
    let chosen = (!weighted.is_empty()).then(|| choose(&weighted, random));
    let simple = records.iter().filter(|record| record.weight.is_none()).copied();
    for record in simple.chain(chosen) {
        for value in &record.values {
            found.push(match (record.kind.as_str(), value.parse()) {
                ("CNAME", _) => Found::Alias { name: absolute(value), ttl: record.ttl },
                ("A", Ok(address)) => Found::Address { address, ttl: record.ttl },
                (kind, _) => Found::Other { kind: kind.to_owned() },
            });
        }
    }
    Name::There(found, zone.name.clone())
}

/// One of them, in proportion to the weights; all 0: one like the other (Route 53's own rule).
fn choose<'r>(weighted: &[&'r Record], random: &mut StdRng) -> &'r Record {
    let weight = |record: &Record| u32::from(record.weight.unwrap_or_default());
    let all: u32 = weighted.iter().map(|record| weight(record)).sum();
    if all == 0 {
        return weighted[random.random_range(0..weighted.len())];
    }
    let mut drawn = random.random_range(0..all);
    for record in weighted {
        if drawn < weight(record) {
            return record;
        }
        drawn -= weight(record);
    }
    weighted[0]
}

/// The instances behind a Cloud Map name: the service's own (`service.namespace`), or one instance's (`id.service.namespace`).
fn registered(state: &State, name: &str, random: &mut StdRng) -> Option<Vec<Found>> {
    for (place, cloud_map) in state.cloud_maps.all() {
        let Some((ecs, _)) = state.regions.get(place) else { continue };
        for service in cloud_map.services.values() {
            let Some(namespace) = cloud_map.namespaces.get(&service.namespace) else { continue };
            let own = format!("{}.{}.", service.name, namespace.name.trim_end_matches('.')).to_ascii_lowercase();
            if name == own {
                let mut all = instances(service, ecs);
                all.shuffle(random);
                all.truncate(MOST_INSTANCES);
                let mut found = Vec::new();
                for instance in all {
                    let target = format!("{}.{own}", instance.id);
                    if let (Some(ttl), Some(port)) = (ttl(service, "SRV"), instance.port()) {
                        found.push(Found::Place { target, port, address: instance.address(), ttl });
                    }
                    if let (Some(ttl), Some(address)) = (ttl(service, "A"), instance.address()) {
                        found.push(Found::Address { address, ttl });
                    }
                }
                return Some(found);
            }
            if let Some(id) = name.strip_suffix(&format!(".{own}")) {
                let instance = instances(service, ecs).into_iter().find(|instance| instance.id == id)?;
                let ttl = ttl(service, "SRV").or_else(|| ttl(service, "A"))?;
                return Some(instance.address().map(|address| Found::Address { address, ttl }).into_iter().collect());
            }
        }
    }
    None
}

fn ttl(service: &Registry, kind: &str) -> Option<u32> {
    let (_, ttl) = service.records.iter().find(|(known, _)| known == kind)?;
    u32::try_from(*ttl).ok()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn weights_are_shares_and_all_zero_is_no_weight() {
        let record = |value: &str, weight: u8| Record { values: vec![value.into()], weight: Some(weight), ..Record::default() };
        let (blue, green) = (record("blue", 90), record("green", 10));
        let mut random = StdRng::seed_from_u64(1);
        let mut share = |records: &[&Record]| (0..1_000).filter(|_| choose(records, &mut random).values[0] == "blue").count();
        let led = share(&[&blue, &green]);
        assert!((850..950).contains(&led), "{led}");
        assert_eq!(share(&[&blue, &record("green", 0)]), 1_000);
        let halves = share(&[&record("blue", 0), &record("green", 0)]);
        assert!((400..600).contains(&halves), "{halves}");
    }
}
