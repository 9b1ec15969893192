//! May this host be spoken to, and under which address?
//!
//! A pipeline is somebody's document. Without this check it could read what only this machine may read: cloud
//! metadata, the product's own port, a neighbour's database. Addresses are checked after the name was resolved,
//! and the connection goes to the address that was checked, so a name that changes its mind gains nothing.

use crate::Error;
use ipnet::IpNet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use url::Url;

/// Which private places may be loaded from. Nothing, unless said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow {
    nets: Vec<IpNet>,
    /// Lower case; `.example.lan` stands for all names that end so.
    hosts: Vec<String>,
    /// Ports of this machine that are refused even where its address is allowed: the product's own.
    own_ports: Vec<u16>,
}

impl Allow {
    /// Reads entries such as `10.1.0.0/16`, `192.168.0.7`, `data.example.lan`, `*.example.lan`.
    ///
    /// # Errors
    /// [`Error::BadAllow`] names the first entry that is none of these.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Allow, Error> {
        let mut allow = Allow::default();
        for entry in entries {
            let text = entry.as_ref().trim().to_ascii_lowercase();
            let bare = text.trim_start_matches('[').trim_end_matches(']');
            if let Ok(net) = bare.parse::<IpNet>() {
                allow.nets.push(net);
            } else if let Ok(ip) = bare.parse::<IpAddr>() {
                allow.nets.push(IpNet::from(ip));
            } else if is_host_name(text.trim_start_matches("*.")) {
                allow.hosts.push(text.trim_start_matches('*').to_owned());
            } else {
                return Err(Error::BadAllow { entry: crate::error::shown(entry.as_ref().as_bytes()) });
            }
        }
        Ok(allow)
    }

    /// These ports of this machine stay refused whatever is allowed.
    #[must_use]
    pub fn without_own_ports(mut self, ports: &[u16]) -> Allow {
        self.own_ports.extend_from_slice(ports);
        self
    }

    fn host(&self, host: &str) -> bool {
        self.hosts.iter().any(|allowed| match allowed.strip_prefix('.') {
            Some(_) => host.ends_with(allowed.as_str()),
            None => host == allowed,
        })
    }

    fn net(&self, ip: IpAddr) -> bool {
        self.nets.iter().any(|net| net.contains(&ip))
    }

    /// Checks one address of `host`.
    fn check(&self, host: &str, address: SocketAddr) -> Result<(), Error> {
        let ip = unmapped(address.ip());
        let refuse = |kind| Error::Refused { host: host.to_owned(), address: address.ip().to_string(), kind };
        if self.own_ports.contains(&address.port()) && is_this_machine(ip) {
            return Err(refuse("this product itself"));
        }
        match refused_kind(ip) {
            Some(kind) if !self.host(host) && !self.net(ip) && !self.net(address.ip()) => Err(refuse(kind)),
            Some(_) | None => Ok(()),
        }
    }
}

fn is_host_name(text: &str) -> bool {
    let good = |label: &str| {
        !label.is_empty()
            && label.len() < 64
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    !text.is_empty() && text.split('.').all(good) && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// How names become addresses. Called on a blocking thread.
pub trait Names: Send + Sync {
    /// # Errors
    /// The name is not known or the resolver cannot be reached.
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own resolver.
pub struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok((host, 0).to_socket_addrs()?.map(|a| a.ip()).collect())
    }
}

/// Where a URL's host is, if it may be spoken to: every address of it must be allowed, not only one.
///
/// # Errors
/// The host has a refused address, or none.
pub async fn resolve(url: &Url, allow: &Allow, names: &Arc<dyn Names>) -> Result<Vec<SocketAddr>, Error> {
    let port = url.port_or_known_default().unwrap_or(80);
    let host = host_of(url);
    let addresses = match url.host() {
        None => {
            return Err(Error::BadUrl { url: super::shown_url(url), why: "it names no host".to_owned() });
        }
        Some(url::Host::Ipv4(ip)) => vec![IpAddr::V4(ip)],
        Some(url::Host::Ipv6(ip)) => vec![IpAddr::V6(ip)],
        Some(url::Host::Domain(_)) => {
            check_name(&host, allow)?;
            look_up(&host, names).await?
        }
    };
    let addresses: Vec<SocketAddr> = addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
    for address in &addresses {
        allow.check(&host, *address)?;
    }
    Ok(addresses)
}

/// The host in lower case, without the dot at the end and without brackets.
pub fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("").to_ascii_lowercase();
    host.trim_end_matches('.').trim_start_matches('[').trim_end_matches(']').to_owned()
}

/// Names that always mean this machine or a cloud's inside, whatever a resolver says.
fn check_name(host: &str, allow: &Allow) -> Result<(), Error> {
    let inside = host == "localhost" || host.ends_with(".localhost") || host.ends_with(".internal");
    if inside && !allow.host(host) && allow.nets.is_empty() {
        return Err(Error::Refused { host: host.to_owned(), address: host.to_owned(), kind: "a name of the inside" });
    }
    Ok(())
}

async fn look_up(host: &str, names: &Arc<dyn Names>) -> Result<Vec<IpAddr>, Error> {
    let (names, asked) = (Arc::clone(names), host.to_owned());
    let found = tokio::task::spawn_blocking(move || names.addresses(&asked)).await;
    let fail = |why: String| Error::NoAddress { host: host.to_owned(), why };
    let found = found.map_err(|e| fail(e.to_string()))?.map_err(|e| fail(e.to_string()))?;
    if found.is_empty() { Err(fail("the resolver knows none".to_owned())) } else { Ok(found) }
}

/// An IPv4 address that is written as an IPv6 one.
fn unmapped(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

fn is_this_machine(ip: IpAddr) -> bool {
    // An address that can be bound belongs to this machine, whatever its range.
    ip.is_loopback() || ip.is_unspecified() || std::net::UdpSocket::bind((ip, 0)).is_ok()
}

/// What an address is, if it is not one of the public internet.
pub fn refused_kind(ip: IpAddr) -> Option<&'static str> {
    match unmapped(ip) {
        IpAddr::V4(v4) => refused_v4(v4),
        IpAddr::V6(v6) => refused_v6(v6),
    }
}

fn refused_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (0, ..) => Some("this machine"),
        (127, ..) => Some("this machine"),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some("a private network"),
        (169, 254, _) => Some("a link-local address, such as a cloud's metadata"),
        (100, 64..=127, _) => Some("a provider's inside network"),
        (192, 0, 0) | (198, 18..=19, _) | (192, 88, 99) => Some("a reserved network"),
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => Some("a network for documentation"),
        (224..=239, ..) => Some("a multicast address"),
        (240..=255, ..) => Some("a reserved network"),
        _ => None,
    }
}

fn refused_v6(ip: Ipv6Addr) -> Option<&'static str> {
    if ip.is_loopback() || ip.is_unspecified() {
        return Some("this machine");
    }
    let s = ip.segments();
    match (s[0], s[1]) {
        // IPv4 inside IPv6: NAT64, 6to4, Teredo, and the deprecated compatible form.
        (0x64, 0xff9b) => Some("an IPv4 address behind NAT64"),
        (0x2002, _) => Some("an IPv4 address behind 6to4"),
        (0x2001, 0) => Some("an IPv4 address behind Teredo"),
        (0, _) => Some("a reserved network"),
        (0xfe80..=0xfebf, _) => Some("a link-local address"),
        (0xfec0..=0xfeff, _) | (0xfc00..=0xfdff, _) => Some("a private network"),
        (0xff00..=0xffff, _) => Some("a multicast address"),
        (0x100, 0) => Some("a reserved network"),
        (0x2001, 0xdb8) | (0x3fff, 0..=0xfff) => Some("a network for documentation"),
        (0x2001, 0x2..=0x1ff) => Some("a reserved network"),
        (0x5f00, _) => Some("a reserved network"),
        // Everything that was ever given out begins with 001.
        (0x2000..=0x3fff, _) => None,
        _ => Some("a reserved network"),
    }
}
