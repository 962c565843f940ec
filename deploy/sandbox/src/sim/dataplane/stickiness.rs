//! Cookies that keep a client with a target group (`AWSALBTG`) or with a target (`AWSALB`).
//!
//! AWS encrypts what they hold; here it is a hash of what the client is kept with, and an end in AWS's time.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    net::SocketAddr,
    time::SystemTime,
};

use http::HeaderMap;

use super::{
    choice::{Turns, by_weight},
    routes::{Deed, Routes},
};
use crate::sim::clock::Clock;

/// The cookie of a target group.
pub const OF_GROUP: &str = "AWSALBTG";
/// The cookie of a target.
pub const OF_TARGET: &str = "AWSALB";

/// Where a request goes, and the cookies that its answer sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The target group's ARN.
    pub group: String,
    /// The target.
    pub target: SocketAddr,
    /// `Set-Cookie` headers.
    pub cookies: Vec<String>,
}

/// Chooses for a request with these headers: what its cookies hold as long as that may be had, and else by weight and turn.
pub fn choose(
    turns: &Turns,
    routes: &Routes,
    deed: &Deed,
    client: SocketAddr,
    headers: &HeaderMap,
    clock: &Clock,
) -> Option<Choice> {
    let Deed::Forward { groups, sticky } = deed else { return None };
    let now = clock.now();
    let cookies = |name: &'static str| cookies(headers, name);
    let served = |group: &str| routes.groups.get(group).is_some_and(|group| !group.targets.is_empty());
    // A group whose weight has become 0 keeps the clients that it has.
    let kept = sticky.and_then(|_| {
        let given: Vec<&str> = cookies(OF_GROUP).collect();
        groups.iter().find(|(group, _)| served(group) && given.iter().any(|cookie| holds(cookie, group, now)))
    });
    let group = match kept {
        Some((group, _)) => group.as_str(),
        None => by_weight(groups, &mut rand::rng())?,
    };
    let picture = routes.groups.get(group)?;
    let kept = picture.sticky.and_then(|_| {
        let given: Vec<&str> = cookies(OF_TARGET).collect();
        picture.targets.iter().find(|target| given.iter().any(|cookie| holds(cookie, &subject(group, **target), now)))
    });
    let target = match kept {
        Some(target) => *target,
        None => turns.target(group, picture, client.ip())?,
    };
    let mut set = Vec::new();
    let held = [(OF_TARGET, picture.sticky, subject(group, target)), (OF_GROUP, *sticky, group.to_owned())];
    for (name, seconds, subject) in held {
        let Some(seconds) = seconds else { continue };
        let value = token(&subject, now + seconds);
        let until = jiff::Timestamp::try_from(SystemTime::now() + clock.real(seconds)).unwrap_or_default();
        let until = until.strftime("%a, %d %b %Y %H:%M:%S GMT");
        set.push(format!("{name}={value}; Expires={until}; Path=/"));
        // For browsers that ask from another site.
        let cors = if name == OF_GROUP { "AWSALBTGCORS" } else { "AWSALBCORS" };
        set.push(format!("{cors}={value}; Expires={until}; Path=/; SameSite=None"));
    }
    Some(Choice { group: group.to_owned(), target, cookies: set })
}

fn subject(group: &str, target: SocketAddr) -> String {
    format!("{group} {target}")
}

fn token(subject: &str, until: f64) -> String {
    format!("{:016x}.{:x}", hash(subject), until.to_bits())
}

/// Whether a cookie's value holds a subject, now.
fn holds(value: &str, subject: &str, now: f64) -> bool {
    let read = |digits: &str| u64::from_str_radix(digits, 16).ok();
    let Some((held, until)) = value.split_once('.') else { return false };
    read(held) == Some(hash(subject)) && read(until).is_some_and(|bits| now < f64::from_bits(bits))
}

fn hash(subject: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(subject)
}

/// The values of a cookie.
fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let all = headers.get_all("cookie").iter().filter_map(|header| header.to_str().ok());
    let pairs = all.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(given, _)| *given == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::dataplane::routes::Group;

    #[test]
    fn a_client_stays_with_its_group_and_target_until_the_cookie_ends_or_they_do() {
        let target = |last: u8| SocketAddr::from(([127, 20, 0, last], 80));
        let group = |targets: Vec<SocketAddr>| Group { targets, sticky: Some(60.0), ..Group::default() };
        let mut routes = Routes::default();
        routes.groups.insert("a".to_owned(), group(vec![target(2), target(3)]));
        routes.groups.insert("b".to_owned(), group(vec![target(4)]));
        let forward = |weights: [i32; 2]| Deed::Forward {
            groups: vec![("a".to_owned(), weights[0]), ("b".to_owned(), weights[1])],
            sticky: Some(60.0),
        };
        let (turns, clock) = (Turns::default(), Clock::new(1.0));
        let client = SocketAddr::from(([127, 0, 0, 1], 9));
        let first = choose(&turns, &routes, &forward([1, 0]), client, &HeaderMap::new(), &clock).expect("a target");
        let mut headers = HeaderMap::new();
        for cookie in &first.cookies {
            let pair = cookie.split(';').next().and_then(|pair| pair.parse().ok()).expect("a cookie");
            headers.append("cookie", pair);
        }
        assert_eq!(headers.len(), 4);
        let again = |routes: &Routes| {
            let chosen = choose(&turns, routes, &forward([0, 1]), client, &headers, &clock).expect("a target");
            (chosen.group, chosen.target)
        };
        for _ in 0..8 {
            assert_eq!(again(&routes), ("a".to_owned(), first.target));
        }
        let left = if first.target == target(2) { target(3) } else { target(2) };
        routes.groups.insert("a".to_owned(), group(vec![left]));
        assert_eq!(again(&routes), ("a".to_owned(), left));
        routes.groups.insert("a".to_owned(), group(Vec::new()));
        assert_eq!(again(&routes), ("b".to_owned(), target(4)));
    }

    #[test]
    fn a_cookie_ends_and_holds_one_thing() {
        let cookie = token("a", 10.0);
        assert!(holds(&cookie, "a", 9.9) && !holds(&cookie, "a", 10.0) && !holds(&cookie, "b", 1.0));
        assert!(!holds("x", "a", 0.0) && !holds("zz.zz", "a", 0.0));
    }
}
