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

async fn fails(site: &Site) -> Error {
    let place = Place::new();
    let mut request = place.request(vec![plain(site, "/x")]);
    request.limits.stall_seconds = 1;
    request.limits.retries = 1;
    request.limits.download_bytes = 10_000_000;
    let error = loader().load(&request, |_| ()).await.expect_err("it was taken");
    place.assert_untouched();
    error
}

/// What came is on disk after a failure, as a killed process would leave it.
fn part(place: &Place) -> Option<u64> {
    let data = std::fs::read_dir(place.downloads())
        .ok()?
        .flatten()
        .find(|e| e.path().extension().is_some_and(|e| e == "data"))?;
    Some(data.metadata().unwrap().len())
}

/// Sends the first `sent` bytes and then breaks the connection.
fn broken(bytes: &[u8], sent: usize, headers: &[(&str, &str)]) -> axum::response::Response {
    let first = Ok(axum::body::Bytes::copy_from_slice(&bytes[..sent]));
    let chunks: Vec<Result<_, std::io::Error>> = vec![first, Err(std::io::Error::other("cut"))];
    let mut all = headers.to_vec();
    let length = bytes.len().to_string();
    all.push(("content-length", &length));
    answer(200, &all, axum::body::Body::from_stream(futures::stream::iter(chunks)))
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_ended() {
    let site = Site::start(|number, asked: Asked| async move {
        if number == 0 {
            broken(&content(), 1_000_000, &[("etag", "\"v1\"")])
        } else {
            ranged(&asked, &content(), "\"v1\"")
        }
    })
    .await;
    let place = Place::new();
    let summary = loader().load(&place.request(vec![plain(&site, "/x")]), |_| ()).await.unwrap();
    assert_eq!(std::fs::read(place.target().join("x")).unwrap(), content());
    let asked = site.asked();
    assert_eq!((asked.len(), asked[1].if_range.as_deref()), (2, Some("\"v1\"")));
    let again = summary.sources[0].fetched - 3_000_000;
    assert!(again <= 1 << 20, "{again} bytes came twice");
}

#[tokio::test]
async fn another_process_goes_on_with_what_a_failed_one_left() {
    let site = Site::start(|number, asked: Asked| async move {
        match number {
            0 => broken(&content(), 1_500_000, &[("etag", "\"v1\"")]),
            1 => answer(404, &[], ""),
            _ => ranged(&asked, &content(), "\"v1\""),
        }
    })
    .await;
    let place = Place::new();
    let request = place.request(vec![plain(&site, "/x")]);
    loader().load(&request, |_| ()).await.unwrap_err();
    let left = part(&place).unwrap();
    assert!(left > 0 && left <= 1_500_000);
    let summary = loader().load(&request, |_| ()).await.unwrap();
    assert_eq!(summary.sources[0].fetched, 3_000_000 - left);
    assert_eq!(std::fs::read(place.target().join("x")).unwrap(), content());
}

#[tokio::test]
async fn a_part_is_never_continued_with_another_file() {
    let other: Vec<u8> = content().iter().map(|b| b ^ 0xff).collect();
    // The server ignores the range; the file changed; the part is of another place; the length is another.
    for way in 0..5 {
        let (old, new) = (content(), other.clone());
        let site = Site::start(move |number, asked: Asked| {
            let (old, new) = (old.clone(), new.clone());
            async move {
                let last = new.len() - 1;
                let lie = |range: &str, etag: &str, body: &[u8]| {
                    answer(206, &[("content-range", range), ("etag", etag)], body.to_vec())
                };
                let from: usize = asked.range.as_ref().map_or(0, |r| r[6..r.len() - 1].parse().unwrap());
                match (number, way) {
                    (0, _) => broken(&old, 1_000_000, &[("etag", "\"v1\"")]),
                    (1, 0) => answer(200, &[("etag", "\"v2\"")], new),
                    (1, 1) => lie(&format!("bytes {from}-{last}/{}", last + 1), "\"v2\"", &new[from..]),
                    (1, 2) => lie(&format!("bytes {}-{last}/{}", from + 1, last + 1), "\"v1\"", &new[from + 1..]),
                    (1, 3) => lie(&format!("bytes {from}-{}/{}", last + 5, last + 6), "\"v1\"", &new[from..]),
                    (1, _) => lie("bytes */3000000", "\"v1\"", &new[from..]),
                    (_, _) => ranged(&asked, &new, "\"v2\""),
                }
            }
        })
        .await;
        let place = Place::new();
        loader().load(&place.request(vec![plain(&site, "/x")]), |_| ()).await.unwrap();
        assert!(std::fs::read(place.target().join("x")).unwrap() == other, "way {way}: two files were joined");
    }
}

#[tokio::test]
async fn without_a_strong_etag_a_download_starts_over() {
    for etag in ["W/\"v1\"", ""] {
        let site = Site::start(move |number, _| async move {
            let headers: &[(&str, &str)] = if etag.is_empty() { &[] } else { &[("etag", etag)] };
            if number == 0 { broken(&content(), 1_000_000, headers) } else { answer(200, headers, content()) }
        })
        .await;
        let place = Place::new();
        loader().load(&place.request(vec![plain(&site, "/x")]), |_| ()).await.unwrap();
        assert_eq!(site.asked()[1].range, None);
        assert!(std::fs::read(place.target().join("x")).unwrap() == content());
    }
}

#[tokio::test]
async fn bodies_that_end_early_hang_or_never_end_fail() {
    let early = Site::start(|_, _| async { broken(&content(), 1000, &[]) }).await;
    assert!(matches!(fails(&early).await, Error::Network { .. }));
    let endless = Site::start(|_, _| async {
        let chunks =
            futures::stream::repeat_with(|| Ok::<_, std::io::Error>(axum::body::Bytes::from(vec![0; 100_000])));
        answer(200, &[], axum::body::Body::from_stream(chunks))
    })
    .await;
    assert!(matches!(fails(&endless).await, Error::TooLarge { .. }));
    let slow = Site::start(|_, _| async {
        let drip = futures::stream::unfold((), |()| async {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            Some((Ok::<_, std::io::Error>(axum::body::Bytes::from_static(b".")), ()))
        });
        answer(200, &[], axum::body::Body::from_stream(drip))
    })
    .await;
    assert!(matches!(fails(&slow).await, Error::Stalled { .. }));
    let announced = Site::start(|_, _| async {
        let body =
            axum::body::Body::from_stream(futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>());
        answer(200, &[("content-length", "99999999999")], body)
    })
    .await;
    assert!(matches!(fails(&announced).await, Error::TooLarge { .. }));
}

#[tokio::test]
async fn only_errors_that_pass_are_tried_again() {
    for (status, tries) in [(404, 1), (403, 1), (410, 1), (500, 2), (503, 2), (429, 2), (304, 1)] {
        let site = Site::start(move |_, _| async move { answer(status, &[("retry-after", "0")], "") }).await;
        let error = fails(&site).await;
        assert!(matches!(error, Error::Status { status: s, .. } if s == status), "{error}");
        assert_eq!(site.asked().len(), tries, "{status}");
    }
    let site = Site::start(|number, _| async move {
        if number < 3 { answer(503, &[("retry-after", "0")], "") } else { answer(200, &[], "at last") }
    })
    .await;
    let place = Place::new();
    loader().load(&place.request(vec![plain(&site, "/x")]), |_| ()).await.unwrap();
    assert_eq!(place.text("x"), "at last");
}

#[tokio::test]
async fn redirects_end_after_ten_hops() {
    let hops = |most: usize| async move {
        Site::start(move |number, _| async move {
            if number < most {
                answer(302, &[("location", &format!("/{number}"))], "")
            } else {
                answer(200, &[], "end")
            }
        })
        .await
    };
    let place = Place::new();
    let site = hops(10).await;
    loader().load(&place.request(vec![plain(&site, "/x")]), |_| ()).await.unwrap();
    assert_eq!(place.text("x"), "end");
    let site = hops(11).await;
    assert!(matches!(fails(&site).await, Error::TooManyRedirects { limit: 10, .. }));
    let site = Site::start(|_, _| async { answer(302, &[], "") }).await;
    assert!(matches!(fails(&site).await, Error::BadRedirect { .. }));
}

#[tokio::test]
async fn names_of_a_server_are_made_harmless() {
    let cases = [
        ("attachment; filename=\"../../x.txt\"", "x.txt"),
        ("attachment; filename=\"..\\\\..\\\\x.txt\"", "x.txt"),
        ("attachment; filename=\"a;b.txt\"; size=3", "a;b.txt"),
        ("attachment; filename=x.txt; filename*=UTF-8''%e2%82%ac.txt", "€.txt"),
        ("attachment; filename*=UTF-8''..%2f..%2fetc%2fpasswd", "passwd"),
        ("attachment; filename=\"..\"", "asked.bin"),
        ("attachment; filename=\".partial\"", "partial"),
        ("inline", "asked.bin"),
    ];
    for (said, name) in cases {
        let site = Site::start(move |_, _| async move { answer(200, &[("content-disposition", said)], "x") }).await;
        let place = Place::new();
        loader().load(&place.request(vec![plain(&site, "/d/asked.bin")]), |_| ()).await.unwrap();
        assert_eq!(place.listing(), [name], "{said}");
        place.assert_neighbour();
    }
}

#[tokio::test]
async fn a_body_packed_by_the_server_is_kept_as_it_came_and_opened_by_its_bytes() {
    let site = Site::start(|_, asked: Asked| async move {
        let body = if asked.path.ends_with("csv") {
            common::gz(b"1,2")
        } else {
            common::gz(&common::tar(&[common::Entry::file("a", b"1")]))
        };
        answer(200, &[("content-encoding", "gzip")], body)
    })
    .await;
    let place = Place::new();
    let sources = vec![Source::new(site.url("/t.csv")), Source::new(site.url("/t.tar.gz"))];
    loader().load(&place.request(sources), |_| ()).await.unwrap();
    assert_eq!((place.listing(), place.text("t.csv")), (vec!["a".to_owned(), "t.csv".to_owned()], "1,2".to_owned()));
    let site = Site::start(|_, _| async { answer(200, &[("content-encoding", "br")], "x") }).await;
    assert!(matches!(fails(&site).await, Error::Unsupported { .. }));
}

#[tokio::test]
async fn a_source_tells_whether_it_changed() {
    use load::Freshness::{Changed, SameChecksum, SameDateAndLength, SameEtag, Unknown};
    use load::{Facts, Limits};
    let site = Site::start(|_, asked: Asked| async move {
        match asked.path.as_str() {
            "/etag" => answer(200, &[("etag", "\"v1\"")], "12345"),
            "/date" => answer(200, &[("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT")], "12345"),
            _ => answer(200, &[("etag", "W/\"v1\"")], "12345"),
        }
    })
    .await;
    let known = Facts {
        etag: Some("\"v1\"".into()),
        last_modified: Some("Mon, 01 Jan 2024 00:00:00 GMT".into()),
        length: Some(5),
        sha256: Some("a".repeat(64)),
    };
    let ask =
        async |path: &str, facts: Facts| loader().check(&plain(&site, path), &facts, &Limits::default()).await.unwrap();
    assert_eq!(ask("/etag", known.clone()).await, SameEtag);
    assert_eq!(ask("/etag", Facts { etag: Some("\"v0\"".into()), ..known.clone() }).await, Changed);
    assert_eq!(ask("/etag", Facts { length: Some(6), ..known.clone() }).await, Changed);
    assert_eq!(ask("/date", known.clone()).await, SameDateAndLength);
    assert_eq!(ask("/weak", known.clone()).await, Unknown);
    assert_eq!(SameDateAndLength.to_string(), "unchanged by date and length");
    let given = Source { sha256: Some("A".repeat(64)), ..plain(&site, "/nowhere") };
    assert_eq!(loader().check(&given, &known, &Limits::default()).await.unwrap(), SameChecksum);
}

#[tokio::test]
async fn a_download_that_stalls_tells_how_far_it_has_come() {
    use std::sync::{Arc, Mutex};
    let site = Site::start(|_, _| async {
        let first = futures::stream::iter([Ok::<_, std::io::Error>(axum::body::Bytes::from(vec![0; 10_000]))]);
        let stalled = futures::StreamExt::chain(first, futures::stream::pending());
        answer(200, &[("content-length", "20000")], axum::body::Body::from_stream(stalled))
    })
    .await;
    let (place, loader, last) = (Place::new(), loader(), Arc::new(Mutex::new(None)));
    let (request, seen) = (place.request(vec![plain(&site, "/way/to/a%20b.bin")]), Arc::clone(&last));
    let load = loader.load(&request, move |p| *seen.lock().unwrap() = Some(p));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(1300), load).await.is_err());
    let last = last.lock().unwrap().clone().unwrap();
    assert_eq!((last.phase, last.name.as_str(), last.bytes), (load::Phase::Downloading, "a b.bin", 10_000));
}

#[tokio::test]
async fn progress_comes_at_most_twice_a_second_and_a_dropped_load_leaves_nothing() {
    use std::sync::{Arc, Mutex};
    let site = Site::start(|_, _| async {
        let chunks = futures::stream::unfold(0, |n| async move {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            Some((Ok::<_, std::io::Error>(axum::body::Bytes::from(vec![0; 10_000])), n + 1))
        });
        answer(200, &[("content-length", "100000000"), ("etag", "\"v1\"")], axum::body::Body::from_stream(chunks))
    })
    .await;
    let place = Place::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let request = place.request(vec![plain(&site, "/x")]);
    let loader = loader();
    let load = loader.load(&request, move |p| log.lock().unwrap().push(p));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(1700), load).await.is_err());
    let seen = seen.lock().unwrap().clone();
    assert!((2..=4).contains(&seen.len()), "{} reports in 1.7 s", seen.len());
    let last = seen.last().unwrap();
    assert_eq!((last.total, last.sources), (Some(100_000_000), 1));
    assert!(last.bytes > 0 && last.rate > 0 && last.seconds_left.is_some(), "{last:?}");
    assert!(place.listing().is_empty() && part(&place).is_some());
}

#[tokio::test]
async fn two_loads_into_one_folder_do_not_meet() {
    let place = Place::new();
    std::fs::create_dir_all(place.target()).unwrap();
    let held = std::fs::File::open(place.target()).unwrap();
    held.lock().unwrap();
    let site = Site::start(|_, _| async { answer(200, &[], "x") }).await;
    let request = place.request(vec![plain(&site, "/x")]);
    assert!(matches!(loader().load(&request, |_| ()).await, Err(Error::Busy { .. })));
    drop(held);
    loader().load(&request, |_| ()).await.unwrap();
    // Again: the same file is there already, which is no harm; another one of its name is refused.
    loader().load(&request, |_| ()).await.unwrap();
    std::fs::write(place.target().join("x"), "other").unwrap();
    assert!(matches!(loader().load(&request, |_| ()).await, Err(Error::Exists { .. })));
    assert_eq!(place.text("x"), "other");
}

#[tokio::test]
async fn sources_are_joined_by_folder_and_never_over_each_other() {
    let site = Site::start(|_, asked: Asked| async move {
        let name = if asked.path.starts_with("/clash") { "d/one" } else { "d/two" };
        let files: &[(&str, &[u8])] =
            if asked.path.starts_with("/first") { &[("d/one", b"1")] } else { &[(name, b"2")] };
        answer(200, &[], common::zip(files))
    })
    .await;
    let place = Place::new();
    let both = |second: &str| vec![Source::new(site.url("/first.zip")), Source::new(site.url(second))];
    let error = loader().load(&place.request(both("/clash.zip")), |_| ()).await.unwrap_err();
    assert_eq!(error.to_string(), "one is there twice; load the sources into folders of their own");
    place.assert_untouched();
    loader().load(&place.request(both("/second.zip")), |_| ()).await.unwrap();
    assert_eq!(place.listing(), ["d/", "d/one", "d/two"]);
}

#[tokio::test]
async fn what_a_killed_load_left_in_the_target_is_cleared() {
    let site = Site::start(|_, _| async { answer(200, &[], "x") }).await;
    let place = Place::new();
    std::fs::create_dir_all(place.target().join(".partial/0/old")).unwrap();
    loader().load(&place.request(vec![plain(&site, "/x")]), |_| ()).await.unwrap();
    assert_eq!(place.listing(), ["x"]);
}
