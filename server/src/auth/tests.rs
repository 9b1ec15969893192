//! Are names, origins and codes told apart?

use super::*;

#[test]
fn our_names_are_known_with_any_port_and_no_other_name_is() {
    let hosts = Hosts::new("127.0.0.1".parse().unwrap(), "https://box.example".parse().ok());
    for ours in ["localhost", "localhost:4400", "LOCALHOST:1", "127.0.0.1:9", "[::1]:9", "[::1]", "box.example"] {
        assert!(hosts.is_ours(ours), "{ours}");
    }
    for foreign in
        ["evil.example", "localhost.evil.example", "box.example:99", "127.0.0.1.nip.io", "[::1", "localhost:x", ""]
    {
        assert!(!hosts.is_ours(foreign), "{foreign}");
    }
    assert!(!Hosts::new("0.0.0.0".parse().unwrap(), None).is_ours("0.0.0.0"));
    assert!(Hosts::new("10.0.0.7".parse().unwrap(), None).is_ours("10.0.0.7:4400"));
}

#[test]
fn an_origin_is_ours_only_with_the_host_and_port_that_are_asked() {
    let hosts = Hosts::new("127.0.0.1".parse().unwrap(), "https://box.example".parse().ok());
    assert!(hosts.is_origin("http://localhost:4400", "localhost:4400"));
    assert!(hosts.is_origin("https://box.example", "localhost:4400"));
    for foreign in ["http://localhost:4401", "null", "http://explore-1.localhost:4400", "file://", "http://box.example"]
    {
        assert!(!hosts.is_origin(foreign, "localhost:4400"), "{foreign}");
    }
    assert!(!hosts.is_origin("http://box.example", "box.example"), "the public address is https");
}

#[test]
fn a_cookie_of_our_name_is_found_among_others_and_twice() {
    let mut headers = HeaderMap::new();
    headers.append("cookie", "a=1; fletchline_x=one".parse().unwrap());
    headers.append("cookie", "fletchline_x=two;fletchline_y=no".parse().unwrap());
    assert_eq!(cookies(&headers, "fletchline_x").collect::<Vec<_>>(), ["one", "two"]);
}
