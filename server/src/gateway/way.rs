//! By which command does a browser of another machine reach the pages of tasks?
//!
//! Their host names end in `localhost`, which leads a browser to its own machine. Where it has come by another name, a
//! tunnel has to be there first.

use std::{fs, net::SocketAddr};

const NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// What leads to this server from elsewhere.
#[derive(Clone, Debug)]
pub struct Way {
    listens: SocketAddr,
    /// None: it runs in none.
    pod: Option<Pod>,
}

#[derive(Clone, Debug)]
struct Pod {
    name: String,
    namespace: Option<String>,
}

impl Way {
    /// `listens`: where the server does.
    pub fn of_this_process(listens: SocketAddr) -> Way {
        let read = |file| fs::read_to_string(file).ok().map(|text| text.trim().to_owned());
        let name = read(HOST_NAME).filter(|_| crate::place::is_inside_a_cluster());
        Way { listens, pod: name.map(|name| Pod { name, namespace: read(NAMESPACE) }) }
    }

    /// Where the tunnel begins, as in a `Host` header.
    pub fn end(&self) -> String {
        format!("localhost:{}", self.listens.port())
    }

    /// `host`: by which the browser reached our own page. `None`: it reaches the pages of tasks, too.
    pub fn command(&self, host: &str) -> Option<String> {
        let name = name(host);
        if matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
            return None;
        }
        let port = self.listens.port();
        Some(match &self.pod {
            Some(Pod { name, namespace: Some(namespace) }) => {
                format!("kubectl port-forward -n {namespace} pod/{name} {port}")
            }
            Some(Pod { name, namespace: None }) => format!("kubectl port-forward pod/{name} {port}"),
            None => format!("ssh -N -L {port}:{}:{port} {}", self.near_name(), name.trim_matches(['[', ']'])),
        })
    }

    /// Where the server is found by who is on its machine.
    fn near_name(&self) -> String {
        match self.listens {
            any if any.ip().is_unspecified() => "localhost".to_owned(),
            SocketAddr::V4(one) => one.ip().to_string(),
            SocketAddr::V6(one) => format!("[{}]", one.ip()),
        }
    }
}

/// Without the port.
fn name(host: &str) -> &str {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(listens: &str, pod: Option<Pod>) -> Way {
        Way { listens: listens.parse().unwrap(), pod }
    }

    #[test]
    fn who_has_come_by_localhost_needs_no_command() {
        for host in ["localhost", "localhost:80", "127.0.0.1:4400", "[::1]:4400", "[::1]"] {
            assert_eq!(way("0.0.0.0:4400", None).command(host), None, "{host}");
        }
    }

    #[test]
    fn inside_a_pod_it_is_kubectl_and_elsewhere_ssh() {
        let pod =
            |namespace: Option<&str>| Pod { name: "fletchline-1".into(), namespace: namespace.map(str::to_owned) };
        let inside = way("0.0.0.0:4400", Some(pod(Some("ml")))).command("fletchline.example.org");
        assert_eq!(inside.as_deref(), Some("kubectl port-forward -n ml pod/fletchline-1 4400"));
        let inside = way("0.0.0.0:4400", Some(pod(None))).command("fletchline.example.org:8443");
        assert_eq!(inside.as_deref(), Some("kubectl port-forward pod/fletchline-1 4400"));
        let outside = |listens: &str, host: &str| way(listens, None).command(host).unwrap();
        assert_eq!(outside("127.0.0.1:4400", "box.example"), "ssh -N -L 4400:127.0.0.1:4400 box.example");
        assert_eq!(outside("0.0.0.0:99", "10.0.0.7:99"), "ssh -N -L 99:localhost:99 10.0.0.7");
        assert_eq!(outside("[fd00::7]:99", "[fd00::7]:99"), "ssh -N -L 99:[fd00::7]:99 fd00::7");
    }
}
