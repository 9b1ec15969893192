//! Under which names is the server itself asked for?

use std::net::IpAddr;

use crate::settings::PublicUrl;

/// The names that mean this server. Ports are not compared: `ssh -L` and containers move them.
#[derive(Clone, Debug)]
pub struct Hosts {
    names: Vec<String>,
    public: Option<PublicUrl>,
}

impl Hosts {
    pub fn new(bind: IpAddr, public: Option<PublicUrl>) -> Hosts {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
        if !bind.is_unspecified() {
            names.push(match bind {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => format!("[{address}]"),
            });
        }
        Hosts { names, public }
    }

    /// `host` as in a `Host` header. A name that a foreign DNS points at us is not among ours.
    pub fn is_ours(&self, host: &str) -> bool {
        let Some(name) = name(host) else { return false };
        self.public(host).is_some() || self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// The page that asked came from the host that it asks now, or from the public address. A page of that name which
    /// was fetched otherwise (http instead of https) could be anybody's.
    pub fn is_origin(&self, origin: &str, host: &str) -> bool {
        let Some((scheme, from)) = origin.split_once("://") else { return false };
        match self.public(from) {
            Some(public) => public.scheme == scheme,
            None => matches!(scheme, "http" | "https") && from.eq_ignore_ascii_case(host),
        }
    }

    /// Browsers that ask by this host have a way that nobody reads.
    pub fn is_private(&self, host: &str) -> bool {
        self.public(host).is_some_and(|public| public.scheme == "https")
    }

    /// The address that has this host.
    fn public(&self, host: &str) -> Option<&PublicUrl> {
        self.public.as_ref().filter(|public| public.host.eq_ignore_ascii_case(host))
    }
}

/// Without the port; `None` when what follows the name is no port.
fn name(host: &str) -> Option<&str> {
    let end = if host.starts_with('[') { host.find(']')? + 1 } else { host.find(':').unwrap_or(host.len()) };
    let (name, port) = host.split_at(end);
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    is_port.then_some(name)
}
