//! How does a test run a cell in a kernel, as JupyterLab's page does?

// Each test program uses a part of this.
#![allow(dead_code)]

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::client::Request},
};

pub struct Kernel(WebSocketStream<TcpStream>);

impl Kernel {
    /// `request` names `…/api/kernels/ID/channels?session_id=…` and may hold headers.
    pub async fn connect(port: u16, request: Request) -> Kernel {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        Kernel(tokio_tungstenite::client_async(request, stream).await.unwrap().0)
    }

    pub async fn send(&mut self, id: &str, code: &str) {
        let header =
            json!({"msg_id": id, "msg_type": "execute_request", "session": "test", "username": "", "version": "5.3"});
        let content = json!({"code": code, "silent": false, "store_history": true, "user_expressions": {},
            "allow_stdin": false, "stop_on_error": true});
        let message = json!({"header": header, "parent_header": {}, "metadata": {}, "content": content,
            "channel": "shell", "buffers": []});
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The content of the next message of this type that answers `id`.
    pub async fn until(&mut self, id: &str, kind: &str) -> Value {
        let found = async {
            loop {
                let Message::Text(text) = self.0.next().await.unwrap().unwrap() else { continue };
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["msg_type"] == kind && message["parent_header"]["msg_id"] == id {
                    return message["content"].clone();
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), found).await.expect("the kernel answers")
    }

    /// Runs a cell to its end.
    pub async fn run(&mut self, id: &str, code: &str) {
        self.send(id, code).await;
        let reply = self.until(id, "execute_reply").await;
        assert_eq!(reply["status"], "ok", "{reply}");
    }
}
