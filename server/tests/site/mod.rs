//! How does a test get a server of its own, and a browser that was let in?

// Each test program uses a part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;

use reqwest::{Client, Method, Response, redirect::Policy};
use serde_json::Value;
use server::{data_folder::DataFolder, serve::Server};
use tempfile::TempDir;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, client::IntoClientRequest},
};

pub type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

pub struct Site {
    pub server: Server,
    pub origin: String,
    pub cookie: String,
    pub folder: TempDir,
    client: Client,
}

pub fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

pub async fn start(folder: &TempDir) -> Server {
    let data = DataFolder::open(Some(folder.path())).unwrap();
    let flags = BTreeMap::from([("port".to_owned(), "0".to_owned())]);
    let settings = server::serve::settings(&data, &flags).unwrap();
    Server::start(data, settings).await.unwrap()
}

impl Site {
    pub async fn new() -> Site {
        Site::on(tempfile::tempdir().unwrap()).await
    }

    pub async fn on(folder: TempDir) -> Site {
        let server = start(&folder).await;
        let client = client();
        let origin = server.inner.origin();
        let answer = client.get(server.inner.link()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Site { server, origin, cookie, folder, client }
    }

    /// As our own page asks.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.origin));
        request.header("cookie", &self.cookie).header("origin", &self.origin)
    }

    pub async fn post(&self, function: &str, body: &Value) -> Response {
        self.request(Method::POST, &format!("/api/{function}")).json(body).send().await.unwrap()
    }

    /// The tab's live connection, for a page at `origin`.
    pub async fn live(&self, origin: &str, cookie: &str) -> Result<Socket, tungstenite::Error> {
        let mut request = format!("{}/live", self.origin.replace("http", "ws")).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
    }

    /// The answer of a server function that goes well.
    pub async fn ask(&self, function: &str, body: Value) -> Value {
        let answer = self.post(function, &body).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{function}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub async fn empty_pipeline(&self, name: &str) -> String {
        let created = self.ask("pipelines/create", serde_json::json!({"new": {"from": "empty", "name": name}})).await;
        created["id"].as_str().unwrap().to_owned()
    }
}
