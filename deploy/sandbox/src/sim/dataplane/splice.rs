//! One connection through a Network Load Balancer: bytes to and from one target, which it keeps until an end of it closes, or until
//! the load balancer ends it because of what became of the target.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::TcpStream,
    sync::watch,
};
use tokio_rustls::TlsConnector;

use super::{
    choice::Turns,
    routes::{Deed, Routes},
    tasks, unverified,
};
use crate::sim::simulator::World;

/// How long a target may take to accept, in real time.
const CONNECT: Duration = Duration::from_secs(10);

/// A connection that came to a listener.
pub struct Flow {
    /// The listener.
    pub listener: SocketAddr,
    /// The client.
    pub client: SocketAddr,
}

impl Flow {
    /// Carries it to its end.
    pub async fn carry(
        &self,
        world: &World,
        turns: &Turns,
        mut pictures: watch::Receiver<Arc<Routes>>,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
    ) {
        // New connections go by the newest picture, whenever their listener's socket was opened.
        let routes = Arc::clone(&pictures.borrow_and_update());
        let chosen = groups(&routes, self.listener).and_then(|groups| turns.choose(&routes, groups, self.client.ip()));
        // No target: AWS resets the connection too.
        let Some((group, target)) = chosen else { return };
        let Ok(Ok(upstream)) = tokio::time::timeout(CONNECT, TcpStream::connect(target)).await else { return };
        let _ = upstream.set_nodelay(true);
        world.traffic.count(&group, &tasks::version_at(world, target).unwrap_or_default());
        if let Some(route) = routes.listeners.get(&self.listener) {
            world.traffic.flow(&route.balancer, &group);
        }
        let secure = routes.groups.get(&group).is_some_and(|group| group.secure);
        drop(routes);
        let carried = async {
            // Either end may break the connection; that is theirs.
            if secure {
                let name = ServerName::IpAddress(target.ip().into());
                let Ok(config) = unverified::client() else { return };
                let Ok(mut upstream) = TlsConnector::from(config).connect(name, upstream).await else { return };
                let _ = copy_bidirectional(&mut stream, &mut upstream).await;
            } else {
                let mut upstream = upstream;
                let _ = copy_bidirectional(&mut stream, &mut upstream).await;
            }
        };
        let ended = pictures.wait_for(|routes| ends(routes, self.listener, &group, target));
        tokio::select! {
            () = carried => {}
            _ = ended => {}
        }
    }
}

/// What the listener forwards to: it has no rules but its default one.
fn groups(routes: &Routes, listener: SocketAddr) -> Option<&[(String, i32)]> {
    match routes.listeners.get(&listener)?.rules.last()? {
        (_, Deed::Forward { groups, .. }) => Some(groups),
        _ => None,
    }
}

/// Whether the load balancer ends an open connection: because its target is no longer kept, or because its group's weight became 0. A
/// group that the listener no longer names keeps its connections.
fn ends(routes: &Routes, listener: SocketAddr, group: &str, target: SocketAddr) -> bool {
    let unkept = routes.groups.get(group).is_some_and(|group| group.ended.contains(&target) || group.is_gone(target));
    let weightless =
        groups(routes, listener).is_some_and(|groups| groups.iter().any(|(arn, weight)| arn == group && *weight == 0));
    unkept || weightless
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::dataplane::routes::{Group, Protocol, Route};

    #[test]
    fn a_connection_outlives_its_group_s_place_in_the_listener_and_not_its_weight() {
        let listener = SocketAddr::from(([127, 20, 0, 2], 80));
        let target = SocketAddr::from(([127, 20, 0, 3], 80));
        let routes = |groups: &[(&str, i32)], group: Group| {
            let groups = groups.iter().map(|(arn, weight)| ((*arn).to_owned(), *weight)).collect();
            let deed = Deed::Forward { groups, sticky: None };
            let route = Route { balancer: String::new(), protocol: Protocol::Tcp, rules: vec![(Vec::new(), deed)] };
            Routes { listeners: [(listener, route)].into(), groups: [("a".to_owned(), group)].into() }
        };
        let here = Group { targets: vec![target], known: [target].into(), ..Group::default() };
        let ended = |routes: &Routes| ends(routes, listener, "a", target);
        assert!(!ended(&routes(&[("a", 1)], here.clone())));
        assert!(!ended(&routes(&[("b", 1)], here.clone())));
        assert!(ended(&routes(&[("a", 0), ("b", 1)], here.clone())));
        assert!(!ended(&routes(&[("a", 1)], Group::default())));
        assert!(ended(&routes(&[("a", 1)], Group { terminates: true, ..Group::default() })));
        assert!(ended(&routes(&[("a", 1)], Group { ended: [target].into(), ..here })));
    }
}
