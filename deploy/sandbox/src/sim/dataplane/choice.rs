//! Which target is next: a group by weight, then a target of it in turn, or always the same one for the same client.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use super::routes::{Group, Routes};

/// Whose turn it is, by group.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<String, usize>>);

impl Turns {
    /// A group by weight (an empty one keeps its share, as AWS does it), and its next target for a client.
    pub fn choose(&self, routes: &Routes, groups: &[(String, i32)], client: IpAddr) -> Option<(String, SocketAddr)> {
        let group = by_weight(groups, &mut rand::rng())?;
        Some((group.to_owned(), self.target(group, routes.groups.get(group)?, client)?))
    }

    /// The next target of a group for a client.
    pub fn target(&self, arn: &str, group: &Group, client: IpAddr) -> Option<SocketAddr> {
        let targets = &group.targets;
        if targets.is_empty() {
            return None;
        }
        if group.by_source {
            let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(client);
            return targets.get(usize::try_from(hash % targets.len() as u64).unwrap_or(0)).copied();
        }
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry(arn.to_owned()).or_default();
        *turn = turn.wrapping_add(1);
        Some(targets[*turn % targets.len()])
    }
}

/// One of the groups by its weight; none if all weights are 0.
pub fn by_weight<'a>(groups: &'a [(String, i32)], random: &mut impl rand::Rng) -> Option<&'a str> {
    let total: i32 = groups.iter().map(|(_, weight)| *weight).sum();
    let mut ticket = if total > 0 { random.random_range(0..total) } else { return None };
    let chosen = groups.iter().find(|(_, weight)| {
        ticket -= weight;
        ticket < 0
    });
    chosen.map(|(group, _)| group.as_str())
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn weights_share_and_nothing_of_0_is_chosen() {
        let groups = [("a".to_owned(), 1), ("b".to_owned(), 0), ("c".to_owned(), 3)];
        let mut random = StdRng::seed_from_u64(1);
        let drawn: Vec<_> = (0..4_000).filter_map(|_| by_weight(&groups, &mut random)).collect();
        let of = |name: &str| drawn.iter().filter(|drawn| **drawn == name).count();
        assert!((900..1_100).contains(&of("a")) && of("b") == 0 && of("a") + of("c") == 4_000);
        assert_eq!(by_weight(&[("a".to_owned(), 0)], &mut random), None);
    }

    #[test]
    fn a_group_by_source_keeps_a_client_at_its_target() {
        let target = |last: u8| SocketAddr::from(([127, 20, 0, last], 80));
        let mut group = Group { targets: vec![target(2), target(3), target(4)], ..Group::default() };
        let turns = Turns::default();
        let client = |last: u8| IpAddr::from([127, 0, 0, last]);
        let told: Vec<_> = (0..3).filter_map(|_| turns.target("g", &group, client(1))).collect();
        assert_eq!(told, [target(3), target(4), target(2)]);
        group.by_source = true;
        for last in 1..20 {
            let first = turns.target("g", &group, client(last));
            assert!(first.is_some() && (0..5).all(|_| turns.target("g", &group, client(last)) == first));
        }
    }
}
