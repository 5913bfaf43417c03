//! Where instances may point: public addresses, and what the operator allows besides (`SECURITY.md` T11, T12).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;
use url::{Host, Url};

/// An address that policy does not let us reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("refused by policy")]
pub struct Refused;

/// A word of the list that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of loopback, private, host:port, CIDR")]
pub struct AllowError(String);

/// What instances may point at besides public addresses.
#[derive(Debug, Clone, Default)]
pub struct AllowHosts {
    loopback: bool,
    private: bool,
    nets: Vec<IpNet>,
    hosts: Vec<(String, u16)>,
}

impl AllowHosts {
    /// Reads a comma list of `loopback`, `private`, `host:port`, CIDR.
    pub fn parse(list: &str) -> Result<Self, AllowError> {
        let mut allow = Self::default();
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "loopback" => allow.loopback = true,
                "private" => allow.private = true,
                _ => {
                    if let Ok(net) = word.parse::<IpNet>() {
                        allow.nets.push(net);
                    } else if let Some((host, port)) = word.rsplit_once(':')
                        && let Ok(port) = port.parse()
                        && !host.is_empty()
                    {
                        allow.hosts.push((host.trim_matches(['[', ']']).to_lowercase(), port));
                    } else {
                        return Err(AllowError(word.to_owned()));
                    }
                }
            }
        }
        Ok(allow)
    }

    /// Checks what the address itself tells; names are checked again when they resolve.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        let port = url.port_or_known_default().ok_or(Refused)?;
        match url.host().ok_or(Refused)? {
            Host::Ipv4(ip) if !self.lists(&ip.to_string(), port) => self.check_ip(ip.into()),
            Host::Ipv6(ip) if !self.lists(&ip.to_string(), port) => self.check_ip(ip.into()),
            // A listed name is let through when it resolves, so the port is held here.
            Host::Domain(name) if self.names(name) && !self.lists(name, port) => Err(Refused),
            Host::Domain(name) if is_local(name) && !self.lists(name, port) && !self.loopback => Err(Refused),
            _ => Ok(()),
        }
    }

    fn lists(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_lowercase();
        self.hosts.iter().any(|(name, p)| *name == host && *p == port)
    }

    fn names(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_lowercase();
        self.hosts.iter().any(|(name, _)| *name == host)
    }

    fn check_ip(&self, ip: IpAddr) -> Result<(), Refused> {
        let ip = ip.to_canonical();
        let allowed = is_public(ip)
            || (self.loopback && ip.is_loopback())
            || (self.private && is_private(ip))
            || self.nets.iter().any(|net| net.contains(&ip));
        if allowed { Ok(()) } else { Err(Refused) }
    }
}

fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xfe00 == 0xfc00,
    }
}

/// Global unicast only: everything in IANA's special-purpose registries is out.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(a == 0
        || a >= 224
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b & 0xfe == 18 || (b == 51 && c == 100)))
        || (a == 203 && b == 0 && c == 113))
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    // 2000::/3 without Teredo and benchmarking (2001::/23), documentation, 6to4 and 3fff::/20.
    s[0] & 0xe000 == 0x2000
        && !(s[0] == 0x2001 && s[1] < 0x200)
        && !(s[0] == 0x2001 && s[1] == 0xdb8)
        && s[0] != 0x2002
        && !(s[0] == 0x3fff && s[1] < 0x1000)
}

/// Resolves names and refuses those with even one address that policy refuses (DNS rebinding).
#[derive(Debug, Clone)]
pub(super) struct GuardedResolver {
    allow: Arc<AllowHosts>,
    lookups: Arc<Semaphore>,
}

impl GuardedResolver {
    pub(super) fn new(allow: Arc<AllowHosts>) -> Self {
        Self { allow, lookups: Arc::new(Semaphore::new(8)) }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (allow, lookups) = (Arc::clone(&self.allow), Arc::clone(&self.lookups));
        Box::pin(async move {
            let _turn = lookups.acquire_owned().await?;
            let lookup = tokio::net::lookup_host((name.as_str(), 0));
            let found: Vec<SocketAddr> = tokio::time::timeout(Duration::from_secs(5), lookup)
                .await
                .map_err(|_| "dns lookup took too long")??
                .collect();
            if !allow.names(name.as_str()) {
                for address in &found {
                    allow.check_ip(address.ip())?;
                }
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(list: &str, url: &str) -> bool {
        AllowHosts::parse(list).unwrap().check(&Url::parse(url).unwrap()).is_err()
    }

    #[test]
    fn only_public_addresses_are_reached_unless_allowed() {
        for url in [
            "http://169.254.169.254/latest/",
            "http://127.0.0.1",
            "http://2130706433",
            "http://0x7f.1",
            "http://0.0.0.0",
            "http://10.0.0.1",
            "http://192.168.1.1",
            "http://100.64.0.1",
            "http://[::1]",
            "http://[::ffff:127.0.0.1]",
            "http://[fe80::1]",
            "http://[fd00::1]",
            "http://[64:ff9b::7f00:1]",
            "http://[2002:7f00:1::]",
            "http://localhost:8080",
            "http://224.0.0.1",
            "http://198.18.0.1",
            "http://[2001:db8::1]",
        ] {
            assert!(refused("", url), "{url}");
        }
        for url in ["http://8.8.8.8", "https://evolution.example.com", "http://[2606:4700::1111]"] {
            assert!(!refused("", url), "{url}");
        }
        assert!(!refused("loopback,private", "http://127.0.0.1:8989/evolution"));
        assert!(!refused("loopback,private", "http://10.1.2.3:8080"));
        assert!(refused("loopback,private", "http://169.254.169.254"));
        assert!(!refused("10.0.0.0/8", "http://10.1.2.3"));
        assert!(!refused("localhost:8080", "http://localhost:8080"));
        assert!(refused("localhost:8080", "http://localhost:9090"));
        assert!(!refused("evolution:8080", "http://evolution:8080"));
        assert!(refused("evolution:8080", "http://evolution:9090"));
        assert!(!refused("169.254.0.0/16", "http://169.254.169.254"));
        assert!(!refused("[::1]:8080", "http://[::1]:8080"));
        assert!(refused("[::1]:8080", "http://[::1]:9090"));
        assert!(AllowHosts::parse("nonsense").is_err());
    }

    #[tokio::test]
    async fn a_name_is_held_to_the_addresses_that_it_resolves_to() {
        let resolves = async |list: &str| {
            let allow = Arc::new(AllowHosts::parse(list).unwrap());
            GuardedResolver::new(allow).resolve("localhost".parse().unwrap()).await.is_ok()
        };
        assert!(!resolves("").await);
        assert!(!resolves("private,evolution:8080").await);
        assert!(resolves("loopback").await);
        assert!(resolves("localhost:8080").await);
    }
}
