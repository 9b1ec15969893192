//! When would a page get to know something?
//!
//! A WebSocket as the page has it, with a cookie of its own, that watches every run.

use std::{
    collections::BTreeMap,
    io::{BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{http::Connection, now};
use crate::shell;

/// When a page was first told a status of a task, in milliseconds since 1970.
type News = BTreeMap<(String, String), f64>;

pub struct Tab {
    socket: TcpStream,
    news: Arc<Mutex<News>>,
}

impl Tab {
    pub fn open(product: &Path, data: &Path) -> Result<Tab> {
        let said = shell::output(Command::new(product).args(["link", "--data"]).arg(data))?;
        let link = said.split_whitespace().find_map(|word| word.strip_prefix("http://localhost:"));
        let (port, path) = link.and_then(|link| link.split_once('/')).context("`fletchline link` prints a link")?;
        let port: u16 = port.parse()?;
        let answer = Connection::open(port)?.ask("GET", &format!("/{path}"), &[], "")?;
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let socket = Connection::open(port)?.upgraded(
            "/live",
            &[
                ("Connection", "Upgrade"),
                ("Upgrade", "websocket"),
                ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("Origin", &format!("http://localhost:{port}")),
                ("Cookie", cookie.context("a link lets one browser in")?),
            ],
        )?;
        let tab = Tab { socket: socket.get_ref().try_clone()?, news: Arc::default() };
        let (mut to, noted) = (tab.socket.try_clone()?, tab.news.clone());
        say(&mut to, TEXT, json!({"watch": "runs"}).to_string().as_bytes())?;
        std::thread::spawn(move || {
            // It ends with the server, or with the tab.
            let _ = listen(socket, to, &noted);
        });
        Ok(tab)
    }

    pub fn news(&self) -> News {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }
}

const TEXT: u8 = 1;
const PING: u8 = 9;
const PONG: u8 = 10;

fn listen(mut from: BufReader<TcpStream>, mut to: TcpStream, news: &Mutex<News>) -> Result<()> {
    let mut watched = Vec::new();
    loop {
        let (kind, bytes) = frame(&mut from)?;
        let now = now();
        match kind {
            TEXT => {}
            PING => {
                say(&mut to, PONG, &bytes)?;
                continue;
            }
            PONG => continue,
            _ => return Ok(()),
        }
        let told: Value = serde_json::from_slice(&bytes)?;
        let run = &told["run_line"]["summary"]["id"];
        if run.is_string() && !watched.contains(run) {
            watched.push(run.clone());
            say(&mut to, TEXT, json!({"watch": "run", "run": run, "version": 0}).to_string().as_bytes())?;
        }
        let mut news = news.lock().unwrap_or_else(PoisonError::into_inner);
        for (task, view) in told["run"]["tasks"].as_object().into_iter().flatten() {
            let status = view["status"].as_str().unwrap_or_default();
            news.entry((task.clone(), status.to_owned())).or_insert(now);
        }
    }
}

/// One whole message of the server, which never masks.
fn frame(from: &mut impl Read) -> Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    from.read_exact(&mut head)?;
    if head[0] & 0x80 == 0 {
        bail!("a message came in pieces");
    }
    let length = match head[1] {
        126 => u64::from(u16::from_be_bytes(bytes(from)?)),
        127 => u64::from_be_bytes(bytes(from)?),
        short => u64::from(short),
    };
    let mut text = vec![0; usize::try_from(length)?];
    from.read_exact(&mut text)?;
    Ok((head[0] & 0x0f, text))
}

fn bytes<const N: usize>(from: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Short, and masked with zeros: a browser has to mask, nobody has to hide anything here.
fn say(to: &mut TcpStream, kind: u8, bytes: &[u8]) -> Result<()> {
    let length = u8::try_from(bytes.len()).ok().filter(|length| *length < 126).context("a message is short")?;
    let head = [0x80 | kind, 0x80 | length, 0, 0, 0, 0];
    Ok(to.write_all(&[&head, bytes].concat())?)
}
