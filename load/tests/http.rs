//! Does a download end whole or not at all, whatever the server does?

mod common;

use common::Place;
use common::site::{Asked, Site, answer, ranged};
use load::{Allow, Error, Loader, Reuse, Source, Unpack};

fn loader() -> Loader {
    Loader::new(Allow::parse(&["127.0.0.0/8"]).unwrap())
}

fn content() -> Vec<u8> {
    (0..3_000_000u32).map(|i| (i % 251) as u8).collect()
}

fn plain(site: &Site, path: &str) -> Source {
    Source { unpack: Unpack::Never, ..Source::new(site.url(path)) }
}

#[tokio::test]
async fn a_file_arrives_with_its_facts() {
    let site = Site::start(|_, asked: Asked| async move { ranged(&asked, &content(), "\"v1\"") }).await;
    let place = Place::new();
    let summary = loader().load(&place.request(vec![plain(&site, "/d/x.bin?token=1")]), |_| ()).await.unwrap();
    assert_eq!(std::fs::read(place.target().join("x.bin")).unwrap(), content());
    let facts = &summary.sources[0].facts;
    assert_eq!((facts.etag.as_deref(), facts.length), (Some("\"v1\""), Some(3_000_000)));
    assert_eq!(summary.sources[0].fetched, 3_000_000);
    assert!(!place.downloads().exists());
}

#[tokio::test]
async fn a_failed_checksum_leaves_nothing() {
    let site = Site::start(|_, asked: Asked| async move { ranged(&asked, b"hello", "\"v1\"") }).await;
    let place = Place::new();
    let wrong = Source { sha256: Some("0".repeat(64)), ..plain(&site, "/x") };
    let error = loader().load(&place.request(vec![wrong]), |_| ()).await.unwrap_err();
    assert!(matches!(error, Error::Checksum { .. }), "{error}");
    place.assert_untouched();
    let right = "sha256:2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824".to_owned();
    let source = Source { sha256: Some(right), ..plain(&site, "/x") };
    loader().load(&place.request(vec![source]), |_| ()).await.unwrap();
    assert_eq!(place.text("x"), "hello");
}

#[tokio::test]
async fn a_kept_download_is_used_again_if_the_server_says_that_it_is_the_same() {
    let site = Site::start(|_, asked: Asked| async move { ranged(&asked, &content(), "\"v1\"") }).await;
    let place = Place::new();
    let mut request = place.request(vec![plain(&site, "/x")]);
    request.keep_downloads = true;
    assert_eq!(loader().load(&request, |_| ()).await.unwrap().sources[0].fetched, 3_000_000);
    std::fs::remove_file(place.target().join("x")).unwrap();
    assert_eq!(loader().load(&request, |_| ()).await.unwrap().sources[0].fetched, 0);
    assert_eq!(site.asked().last().unwrap().method, "HEAD");
    std::fs::remove_file(place.target().join("x")).unwrap();
    request.reuse = Reuse::Again;
    assert_eq!(loader().load(&request, |_| ()).await.unwrap().sources[0].fetched, 3_000_000);
}

#[tokio::test]
async fn a_missing_file_says_so() {
    let site = Site::start(|_, _| async { answer(404, &[], "no") }).await;
    let place = Place::new();
    let error = loader().load(&place.request(vec![plain(&site, "/x?key=secret")]), |_| ()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{} answers 404 (not there); check the address", site.url("/x")));
    place.assert_untouched();
}
