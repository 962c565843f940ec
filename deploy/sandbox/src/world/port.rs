//! Ports for the world's processes, which are told theirs before they listen.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::Context;

/// Below the ports that systems give to outgoing connections (from 32,768 on Linux): nothing takes one by chance between the look
/// and the use.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// How many were asked for in this process.
static ASKED: AtomicU16 = AtomicU16::new(0);

/// A loopback port that was free a moment ago. Worlds of other processes begin their search elsewhere.
pub(super) fn free_port() -> anyhow::Result<u16> {
    let start = std::process::id().wrapping_mul(7_919);
    let candidates = (0..COUNT).map(|_| start.wrapping_add(u32::from(ASKED.fetch_add(1, Ordering::Relaxed))));
    let ports = candidates.filter_map(|number| u16::try_from(number % u32::from(COUNT)).ok().map(|offset| FIRST + offset));
    let is_free = |port: &u16| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, *port))).is_ok();
    ports.into_iter().find(is_free).context("no loopback port can be had")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_in_a_row_differ_and_can_be_listened_on() {
        let (first, second) = (free_port().expect("a port"), free_port().expect("a port"));
        assert_ne!(first, second);
        assert!(
            TcpListener::bind((Ipv4Addr::LOCALHOST, first)).is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, second)).is_ok()
        );
    }
}
