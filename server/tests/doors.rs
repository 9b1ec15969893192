//! Does nobody get in by any road but the link?

mod product;
mod site;

use http::StatusCode;
use product::{Data, Served, wish};
use reqwest::{Client, Method, Url};
use serde_json::json;
use site::{Site, client, start};
use tokio_tungstenite::tungstenite;

/// Every path that answers, with one method that it takes. Server functions come from their own list.
fn roads() -> Vec<(Method, String)> {
    let mut roads: Vec<(Method, String)> =
        server_fn::axum::server_fn_paths().map(|(path, _)| (Method::POST, path.to_owned())).collect();
    assert!(roads.len() > 15, "the server functions were not linked");
    for path in ["/", "/runs", "/assets-x/app.js", "/live", "/files/log/p/t/1", "/files/pipeline/p.json", "/api/x"] {
        roads.push((Method::GET, path.into()));
    }
    roads.push((Method::POST, "/files/import".into()));
    roads.push((Method::PUT, "/files/upload".into()));
    roads
}

#[tokio::test]
async fn without_a_cookie_every_road_but_health_and_the_link_answers_401() {
    let site = Site::new().await;
    for (method, path) in roads() {
        for cookie in ["", "fletchline=x", &format!("{}x", site.cookie)] {
            let request = client().request(method.clone(), format!("{}{path}", site.origin));
            let request =
                request.header("origin", &site.origin).header("cookie", cookie).header("authorization", "Bearer null");
            let status = request.json(&json!({})).send().await.unwrap().status();
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {cookie}");
        }
    }
    assert_eq!(client().get(format!("{}/healthz", site.origin)).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_request_of_another_page_is_refused_although_the_browser_sends_the_cookie() {
    let site = Site::new().await;
    let foreign = [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for (method, path) in roads().into_iter().filter(|(method, _)| *method != Method::GET) {
        for (name, value) in foreign {
            let mut request = client().request(method.clone(), format!("{}{path}", site.origin));
            request = request.header("cookie", &site.cookie).header(name, value);
            if name != "origin" {
                request = request.header("origin", &site.origin);
            }
            let status = request.json(&json!({})).send().await.unwrap().status();
            assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path} {name}: {value}");
        }
    }
    let no_origin = client().post(format!("{}/api/site", site.origin)).header("cookie", &site.cookie).json(&json!({}));
    assert_eq!(no_origin.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_rebound_name_reaches_nothing() {
    let site = Site::new().await;
    for (method, path) in roads() {
        let request = site.request(method.clone(), &path).header("host", "rebound.example");
        let status = request.json(&json!({})).send().await.unwrap().status();
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{method} {path}");
    }
}

#[tokio::test]
async fn another_port_of_this_machine_as_ssh_makes_one_is_our_own_page() {
    let site = Site::new().await;
    let request = site.request(Method::POST, "/api/site").json(&json!({}));
    let request = request.header("host", "localhost:9999").header("origin", "http://localhost:9999");
    // `request` had set the origin before: exactly one is to be sent.
    let mut request = request.build().unwrap();
    request.headers_mut().insert("origin", "http://localhost:9999".parse().unwrap());
    assert_eq!(client().execute(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_link_lets_in_once_and_the_cookie_survives_a_restart() {
    let site = Site::new().await;
    let link = site.server.inner.link();
    let first = client().get(&link).send().await.unwrap();
    let set = first.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Max-Age=2592000", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert_eq!(client().get(&link).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let Site { server, cookie, folder, .. } = site;
    server.inner.stop();
    server.ended().await;
    let server = start(&folder).await;
    let origin = server.inner.origin();
    let answer = client()
        .post(format!("{origin}/api/site"))
        .header("cookie", cookie)
        .header("origin", &origin)
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn by_a_public_address_of_https_the_cookie_is_secure_and_other_pages_than_its_own_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fletchline.toml"), "public_url = \"https://box.example\"\n").unwrap();
    let server = start(&folder).await;
    let here = format!("http://{}", server.inner.address());
    let cookie = async |host: &str| {
        let link = server.inner.link();
        let path = link.strip_prefix("https://box.example").expect(&link);
        let answer = client().get(format!("{here}{path}")).header("host", host).send().await.unwrap();
        answer.headers()["set-cookie"].to_str().unwrap().to_owned()
    };
    // A tunnel to this machine is plain http.
    assert!(!cookie("localhost:4400").await.contains("Secure"));
    let cookie = cookie("box.example").await;
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    let ask = async |host: &str, origin: &str| {
        let request = client().post(format!("{here}/api/site")).header("cookie", cookie.split(';').next().unwrap());
        request.header("host", host).header("origin", origin).json(&json!({})).send().await.unwrap().status()
    };
    assert_eq!(ask("box.example", "https://box.example").await, 200);
    for (host, origin, status) in [
        ("box.example", "http://box.example", StatusCode::FORBIDDEN),
        ("box.example", "https://other.example", StatusCode::FORBIDDEN),
        ("other.example", "https://other.example", StatusCode::MISDIRECTED_REQUEST),
    ] {
        assert_eq!(ask(host, origin).await, status, "{host} {origin}");
    }
}

#[tokio::test]
async fn who_comes_by_a_name_hears_how_to_lead_the_pages_of_tasks_to_their_own_machine() {
    let data = Data::new();
    let served = Served::start(&data).await;
    let web = json!({"id": "web", "name": "Web", "kind": "container", "ports": [{"port": 8123}],
        "command": ["python3", "-m", "http.server", "8123", "--bind", "127.0.0.1"]});
    served.create(&json!({"format": "fletchline/v1", "id": "one", "name": "One", "tasks": [web], "arrows": []})).await;
    let run = served.begin(wish("one", 1)).await;
    served.until(&run, |view| view["tasks"]["web"]["status"] == "waiting_for_you").await;
    let execution = json!({"pipeline": "one", "task": "web", "n": 1});
    let opens =
        async |host: String| served.ask("runs/link", json!({"execution": execution, "port": 8123, "host": host})).await;
    let port = served.port;
    assert_eq!(opens(format!("localhost:{port}")).await["command"], json!(null));
    let opening = opens("box.example".into()).await;
    assert_eq!(opening["command"], format!("ssh -N -L {port}:127.0.0.1:{port} box.example"));
    // As a browser at the end of that command asks.
    let address: Url = opening["address"].as_str().unwrap().parse().unwrap();
    assert_eq!(address.port(), Some(port));
    let host = format!("{}:{port}", address.host_str().unwrap());
    let path = format!("{}?{}", address.path(), address.query().unwrap());
    let browser = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let let_in = browser.get(format!("http://127.0.0.1:{port}{path}")).header("host", &host).send().await.unwrap();
    let cookie = let_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = browser.get(format!("http://127.0.0.1:{port}/")).header("host", host).header("cookie", cookie);
    let page = page.send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("Directory listing for /"));
}

#[tokio::test]
async fn the_store_has_only_hashes_of_what_lets_in() {
    let site = Site::new().await;
    let secret = site.cookie.split_once('=').unwrap().1.to_owned();
    for file in std::fs::read_dir(site.folder.path()).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{:?}", file.path());
    }
}

#[tokio::test]
async fn a_second_server_on_the_folder_is_refused_with_a_sentence() {
    let site = Site::new().await;
    let data = server::data_folder::DataFolder::open(Some(site.folder.path())).unwrap();
    let settings = server::serve::settings(&data, &[("port".into(), "0".into())].into()).unwrap();
    let Err(error) = server::serve::Server::start(data, settings).await else { panic!("two servers on one folder") };
    assert!(error.to_string().contains("is using"), "{error}");
}

#[tokio::test]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let site = Site::new().await;
    for path in ["/", "/healthz", "/files/pipeline/x.json"] {
        let answer = site.request(Method::GET, path).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let csp = header("content-security-policy");
        assert!(csp.contains("frame-ancestors 'none'") && csp.contains("'wasm-unsafe-eval'"), "{csp}");
        let scripts = csp.split(';').find(|part| part.trim().starts_with("script-src")).unwrap();
        assert!(!scripts.contains("unsafe-inline") && !scripts.contains("'unsafe-eval'"), "{scripts}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn the_web_socket_opens_for_our_own_page_alone() {
    let site = Site::new().await;
    assert!(site.live(&site.origin, &site.cookie).await.is_ok());
    let status = |error: tungstenite::Error| match error {
        tungstenite::Error::Http(answer) => answer.status().as_u16(),
        other => panic!("{other}"),
    };
    assert_eq!(site.live("http://evil.example", &site.cookie).await.map(drop).map_err(status), Err(403));
    assert_eq!(site.live("null", &site.cookie).await.map(drop).map_err(status), Err(403));
    assert_eq!(site.live(&site.origin, "a=b").await.map(drop).map_err(status), Err(401));
}
