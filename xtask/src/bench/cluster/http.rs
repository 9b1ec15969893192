//! How does a bench speak HTTP, with the server and, through `kubectl proxy`, with the cluster?

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

use super::kubectl;

/// One connection that is kept open between requests.
pub struct Connection {
    port: u16,
    stream: BufReader<TcpStream>,
}

/// Names in lower case.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

type Headers<'a> = &'a [(&'a str, &'a str)];

impl Connection {
    pub fn open(port: u16) -> Result<Connection> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Ok(Connection { port, stream: BufReader::new(stream) })
    }

    /// The answer with its body, whatever its status.
    pub fn ask(&mut self, method: &str, path: &str, headers: Headers<'_>, body: &str) -> Result<Answer> {
        let Answer { status, headers, .. } = self.head(method, path, headers, body)?;
        let mut answer = Answer { status, headers, body: Vec::new() };
        if answer.header("transfer-encoding") == Some("chunked") {
            Chunks { stream: &mut self.stream, left: 0, is_over: false }.read_to_end(&mut answer.body)?;
        } else if let Some(length) = answer.header("content-length") {
            answer.body = vec![0; length.parse()?];
            self.stream.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    /// The lines of an answer that goes on and on.
    pub fn lines(mut self, path: &str, headers: Headers<'_>) -> Result<impl Iterator<Item = String> + use<>> {
        let answer = self.head("GET", path, headers, "")?;
        ensure!(answer.status == 200, "GET {path} was answered with {}", answer.status);
        Ok(BufReader::new(Chunks { stream: self.stream, left: 0, is_over: false }).lines().map_while(Result::ok))
    }

    /// What is spoken after both have agreed on another protocol.
    pub fn upgraded(mut self, path: &str, headers: Headers<'_>) -> Result<BufReader<TcpStream>> {
        let answer = self.head("GET", path, headers, "")?;
        ensure!(answer.status == 101, "GET {path} was answered with {}", answer.status);
        Ok(self.stream)
    }

    fn head(&mut self, method: &str, path: &str, headers: Headers<'_>, body: &str) -> Result<Answer> {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\n", self.port);
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.stream.get_mut().write_all(text.as_bytes())?;
        let mut line = || -> Result<String> {
            let mut line = String::new();
            ensure!(self.stream.read_line(&mut line)? > 0, "the connection ended before an answer");
            Ok(line.trim_end().to_owned())
        };
        let status = line()?.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status in an answer")?;
        let mut headers = Vec::new();
        loop {
            let line = line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Answer { status, headers, body: Vec::new() })
    }
}

/// What a chunked body says.
struct Chunks<R> {
    stream: R,
    left: usize,
    is_over: bool,
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.is_over {
            let mut size = String::new();
            self.stream.read_line(&mut size)?;
            self.left = usize::from_str_radix(size.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
            self.is_over = self.left == 0;
            if self.is_over {
                self.stream.read_line(&mut size)?;
            }
        }
        if self.is_over {
            return Ok(0);
        }
        let most = to.len().min(self.left);
        let count = self.stream.read(&mut to[..most])?;
        self.left -= count;
        if self.left == 0 {
            self.stream.read_line(&mut String::new())?;
        }
        Ok(count)
    }
}

/// A way to the cluster's API without certificates, as long as it lives.
pub struct Proxy {
    kubectl: Child,
    pub port: u16,
}

impl Proxy {
    pub fn begin() -> Result<Proxy> {
        let mut kubectl = kubectl(&["proxy", "--port=0"]).stdout(Stdio::piped()).spawn()?;
        let mut said = String::new();
        BufReader::new(kubectl.stdout.as_mut().context("its output is piped")?).read_line(&mut said)?;
        let port = said.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        Ok(Proxy { kubectl, port: port.with_context(|| format!("kubectl proxy says no port: {said}"))? })
    }

    pub fn api(&self) -> Result<Api> {
        Ok(Api(Connection::open(self.port)?))
    }

    /// The pods of a namespace as `kubectl get pods --watch` gets them: a row at each change. A watch that the cluster ends,
    /// because it has too much to tell, is begun again, and then all that is there is told once more.
    pub fn rows(&self, namespace: &str) -> impl Iterator<Item = Row> + use<> {
        let (port, path) = (self.port, format!("/api/v1/namespaces/{namespace}/pods?watch=1&includeObject=None"));
        let watches = std::iter::repeat_with(move || Connection::open(port)?.lines(&path, &[TABLE]));
        watches.map_while(Result::ok).flatten().filter_map(|line| Row::read(&line))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}

/// Answers of which nobody reads more than the status come without the object. A list of what was deleted cannot.
const SHORT: (&str, &str) = ("Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
const TABLE: (&str, &str) = ("Accept", "application/json;as=Table;g=meta.k8s.io;v=v1");

pub struct Api(Connection);

impl Api {
    /// Absent is no failure: somebody was quicker.
    pub fn change(&mut self, method: &str, path: &str, body: &str) -> Result<()> {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let headers = [("Content-Type", kind), SHORT];
        let headers = if method == "DELETE" { &headers[..1] } else { &headers };
        loop {
            let answer = self.0.ask(method, path, headers, body)?;
            match answer.status {
                200..300 | 404 => return Ok(()),
                409 if method == "PATCH" => {}
                429 => std::thread::sleep(Duration::from_millis(200)),
                status => {
                    bail!("{method} {path} was answered with {status}: {}", String::from_utf8_lossy(&answer.body))
                }
            }
        }
    }

    pub fn get(&mut self, path: &str) -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(&self.0.ask("GET", path, &[], "")?.body)?)
    }
}

pub struct Row {
    pub pod: String,
    pub status: String,
    pub node: String,
}

impl Row {
    fn read(line: &str) -> Option<Row> {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        let cells = &event["object"]["rows"][0]["cells"];
        let cell = |at: usize| cells[at].as_str().map(str::to_owned);
        let is_there = event["type"] != "DELETED";
        is_there.then_some(())?;
        Some(Row { pod: cell(0)?, status: cell(2)?, node: cell(6)? })
    }
}
