//! Does a Load Data in a pod get what was dropped on it, and does it tell how far it is?

use std::{fs, net::IpAddr};

use k8s_openapi::api::core::v1::Node;
use kube::{Api, Client};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UdpSocket},
    sync::oneshot,
};

use crate::{cluster::Cluster, examples::served, product::wish};

const MIB: usize = 1 << 20;

/// Where pods find this machine: the address that it has towards a node.
async fn this_machine(client: &Client) -> IpAddr {
    let nodes = Api::<Node>::all(client.clone()).list(&Default::default()).await.unwrap();
    let addresses = nodes.into_iter().flat_map(|node| node.status.unwrap_or_default().addresses.unwrap_or_default());
    let node = addresses.into_iter().find(|one| one.type_ == "InternalIP").unwrap();
    let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    // Nothing is sent.
    socket.connect((node.address, 9)).await.unwrap();
    socket.local_addr().unwrap().ip()
}

/// Answers one GET with `2 * MIB` bytes, the second half when it is told.
async fn slow(listener: TcpListener, go_on: oneshot::Receiver<()>) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.unwrap() == 1 {
        request.push(byte[0]);
    }
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", 2 * MIB);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'a'; MIB]).await.unwrap();
    go_on.await.unwrap();
    stream.write_all(&vec![b'b'; MIB]).await.unwrap();
    let _ = stream.shutdown().await;
}

pub async fn a_dropped_file_is_sent_into_its_pod_and_a_download_tells_how_far_it_is(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (client, _) = cluster.client().await;
    let host = this_machine(&client).await;
    let listener = TcpListener::bind((host, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, go_on) = oneshot::channel();
    let slow = tokio::spawn(slow(listener, go_on));

    let (_data, served) = served(&cluster, place.path(), &format!("load_from = \"{host}\"\n")).await;
    let dropped: Vec<u8> = (0..5 * MIB).map(|at| (at / 7) as u8).collect();
    let upload = served.upload("my data.bin", dropped.clone()).await;
    let sources = json!([{"url": upload}, {"url": format!("http://{host}:{port}/slow.bin")}]);
    let document = json!({"format": "fletchline/v1", "id": "loading", "name": "Loading", "tasks": [
        {"id": "load", "name": "Load", "kind": "load_data", "sources": sources, "target": "/data"},
    ], "arrows": []});
    served.create(&document).await;
    let run = &served.begin(wish("loading", 1)).await;

    let is_half = |view: &serde_json::Value| {
        let progress = &view["tasks"]["load"]["progress"];
        progress["phase"] == "Downloading slow.bin" && progress["bytes"] == MIB && progress["total"] == 2 * MIB
    };
    served.until(run, is_half).await;
    seen.send(()).unwrap();
    slow.await.unwrap();
    let view = served.until(run, |view| view["summary"]["status"] == "succeeded").await;
    assert_eq!(view["tasks"]["load"]["executions"].as_array().unwrap().len(), 1, "{view:#}");
    let loaded = place.path().join("results/pipeline/loading/load/1/data");
    assert!(fs::read(loaded.join("my data.bin")).unwrap() == dropped, "another file than the one that was dropped");
    assert_eq!(fs::metadata(loaded.join("slow.bin")).unwrap().len(), 2 * MIB as u64);
}
