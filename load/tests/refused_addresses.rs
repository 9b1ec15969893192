//! Can a pipeline reach what only this machine may reach?

mod common;

use common::Place;
use common::site::{Site, answer};
use load::{Allow, Error, Loader, Names, Source, Unpack};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

async fn outcome(loader: Loader, url: &str) -> Error {
    let place = Place::new();
    let request = place.request(vec![Source { unpack: Unpack::Never, ..Source::new(url) }]);
    let error = loader.load(&request, |_| ()).await.expect_err(url);
    place.assert_untouched();
    error
}

#[tokio::test]
async fn every_spelling_of_an_inside_address_is_refused() {
    let hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "[2001:0:1::1]",
        "[fe81::1]",
        "[fec0::1]",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "100.64.0.1",
        "100.127.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[ff02::1]",
        "[2001:db8::1]",
        "localhost",
        "LOCALHOST.",
        "x.localhost",
        "metadata.google.internal",
        "１２７.０.０.１",
    ];
    for host in hosts {
        let error = outcome(Loader::default(), &format!("http://{host}/x")).await;
        assert!(matches!(error, Error::Refused { .. }), "{host}: {error}");
    }
}

#[tokio::test]
async fn addresses_that_two_readers_understand_differently_are_refused() {
    for url in [
        "http://user@evil#@good/",
        "http://good\\@evil/",
        "http://a:b@good/",
        "http://good /x",
        "http://good\n/x",
        "http:///x",
        "x",
    ] {
        let error = outcome(Loader::default(), url).await;
        assert!(matches!(error, Error::BadUrl { .. } | Error::NoAddress { .. }), "{url}: {error}");
    }
    for url in ["ftp://good/x", "gopher://good/x", "data:x", "example:none"] {
        let error = outcome(Loader::default(), url).await;
        assert!(matches!(error, Error::Scheme { .. }), "{url}: {error}");
    }
}

#[test]
fn a_refusal_says_what_and_why() {
    let error = common::runtime().block_on(outcome(Loader::default(), "http://169.254.169.254/latest"));
    assert_eq!(
        error.to_string(),
        "169.254.169.254 leads to 169.254.169.254, which is a link-local address, such as a cloud's metadata; \
         an administrator can allow it in the settings"
    );
}

/// A resolver that answers from a list, and from the next one when asked again.
struct Answers(Vec<Vec<IpAddr>>, AtomicUsize);

impl Answers {
    fn new(answers: &[&[&str]]) -> Arc<Answers> {
        let parse = |list: &&[&str]| list.iter().map(|a| a.parse().unwrap()).collect();
        Arc::new(Answers(answers.iter().map(parse).collect(), AtomicUsize::new(0)))
    }
}

impl Names for Answers {
    fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let asked = self.1.fetch_add(1, Ordering::SeqCst);
        Ok(self.0[asked.min(self.0.len() - 1)].clone())
    }
}

#[tokio::test]
async fn a_public_name_with_one_inside_address_is_refused() {
    for answers in [&["10.0.0.7"][..], &["93.184.216.34", "127.0.0.1"], &["2606:2800::1", "fd00::1"]] {
        let error = outcome(Loader::default().with_names(Answers::new(&[answers])), "http://data.example.org/x").await;
        assert!(matches!(error, Error::Refused { .. }), "{answers:?}: {error}");
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_between_check_and_connection_gains_nothing() {
    let site = Site::start(|_, _| async { answer(200, &[], "reached") }).await;
    // The first answer is checked and allowed, and is what the connection uses: the second is never asked for.
    let names = Answers::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let allow = Allow::parse(&["127.0.0.1"]).unwrap();
    let place = Place::new();
    let url = format!("http://data.example.org:{}/x", site.address.port());
    let request = place.request(vec![Source::new(url)]);
    Loader::new(allow).with_names(Arc::clone(&names) as Arc<dyn Names>).load(&request, |_| ()).await.unwrap();
    assert_eq!((place.text("x"), names.1.load(Ordering::SeqCst)), ("reached".to_owned(), 1));
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_address() {
    let targets = [
        "http://169.254.169.254/latest",
        "http://10.0.0.1/",
        "http://[::ffff:a00:1]/",
        "//192.168.0.1/x",
        "http://2852039166/",
    ];
    for to in targets {
        let site = Site::start(move |_, _| async move { answer(302, &[("location", to)], "") }).await;
        let allow = Allow::parse(&["127.0.0.1"]).unwrap();
        let error = outcome(Loader::new(allow), &site.url("/x")).await;
        assert!(matches!(error, Error::Refused { .. }), "{to}: {error}");
    }
    for to in ["file:///etc/passwd", "ftp://good/x", "gopher://good/x", "http://u:p@good/"] {
        let site = Site::start(move |_, _| async move { answer(302, &[("location", to)], "") }).await;
        let allow = Allow::parse(&["127.0.0.1"]).unwrap();
        let error = outcome(Loader::new(allow), &site.url("/x")).await;
        assert!(matches!(error, Error::Scheme { .. } | Error::BadUrl { .. }), "{to}: {error}");
    }
}

#[tokio::test]
async fn ranges_hosts_and_endings_can_be_allowed_and_the_own_port_never() {
    let site = Site::start(|_, _| async { answer(200, &[], "reached") }).await;
    let port = site.address.port();
    for (allowed, host) in
        [("127.0.0.0/8", "127.0.0.1"), ("data.lan", "data.lan"), ("*.lan", "a.b.lan"), ("127.0.0.1", "x.org")]
    {
        let place = Place::new();
        let loader = || {
            let allow = Allow::parse(&[allowed]).unwrap();
            (allow, Answers::new(&[&["127.0.0.1"]]))
        };
        let (allow, names) = loader();
        let request = place.request(vec![Source::new(format!("http://{host}:{port}/x"))]);
        Loader::new(allow).with_names(names).load(&request, |_| ()).await.unwrap();
        assert_eq!(place.text("x"), "reached");
        let (allow, names) = loader();
        let error = outcome(
            Loader::new(allow.without_own_ports(&[port])).with_names(names),
            &format!("http://{host}:{port}/x"),
        )
        .await;
        assert!(matches!(error, Error::Refused { kind: "this product itself", .. }), "{error}");
    }
    let names = Answers::new(&[&["10.0.0.1"]]);
    let loader = Loader::new(Allow::parse(&["data.lan", "127.0.0.0/8"]).unwrap()).with_names(names);
    assert!(matches!(outcome(loader, "http://other.lan/x").await, Error::Refused { .. }));
    for bad in ["", "10.0.0.0/33", "http://x", "a b"] {
        assert!(matches!(Allow::parse(&[bad]), Err(Error::BadAllow { .. })), "{bad}");
    }
}

#[test]
fn files_are_read_only_where_allowed_and_never_through_a_link_into_a_forbidden_folder() {
    use load::Files;
    let place = Place::new();
    let folder = place.dir.path().join("neighbour");
    let allowed = Loader::default().with_files(Files::Allowed { except: vec![folder.clone()] });
    let run = |loader: Loader, path: &str| {
        common::runtime().block_on(async {
            let request = place.request(vec![Source::new(format!("file://{path}"))]);
            loader.load(&request, |_| ()).await
        })
    };
    let link = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(folder.join("secret"), link.path().join("way")).unwrap();
    std::fs::write(link.path().join("mine.txt"), "mine").unwrap();
    let way = link.path().join("way").display().to_string();
    for path in
        [&folder.join("secret").display().to_string(), &way, "/proc/self/environ", "/dev/zero", "/tmp", "/dev/stdin"]
    {
        let error = run(allowed.clone(), path).unwrap_err();
        assert!(matches!(error, Error::Forbidden { .. } | Error::Io { .. }), "{path}: {error}");
    }
    assert!(matches!(run(Loader::default(), &way).unwrap_err(), Error::Forbidden { .. }));
    run(allowed, &link.path().join("mine.txt").display().to_string()).unwrap();
    assert_eq!(place.text("mine.txt"), "mine");
}
