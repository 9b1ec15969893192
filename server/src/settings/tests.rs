//! Does each value come from the strongest place that names it?

use model::{Acl, IdRange, KindName};

use super::*;

fn read(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let environment: BTreeMap<_, _> = environment.iter().copied().collect();
    let flags = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::read(file, |name| environment.get(name).map(|value| (*value).to_owned()), &flags)
}

fn source(settings: &Settings, name: &str) -> (String, String) {
    let view = settings.views().into_iter().find(|view| view.name == name).unwrap();
    assert!(!view.help.is_empty());
    (view.value, view.source)
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    let file = "port = 1\nbind = \"127.0.0.2\"\nkeep_runs = 3\n";
    let settings = read(file, &[("FLETCHLINE_PORT", "2"), ("FLETCHLINE_BIND", "127.0.0.3")], &[("port", "3")]).unwrap();
    assert_eq!((settings.port, settings.keep_runs, settings.grace), (3, 3, Seconds(10)));
    assert_eq!(source(&settings, "port"), ("3".into(), "--port".into()));
    assert_eq!(source(&settings, "bind"), ("127.0.0.3".into(), "FLETCHLINE_BIND".into()));
    assert_eq!(source(&settings, "keep_runs"), ("3".into(), "fletchline.toml".into()));
    assert_eq!(source(&settings, "grace_seconds"), ("10".into(), "default".into()));
}

#[test]
fn an_unknown_setting_is_an_error_that_names_the_closest_one() {
    let error = read("prot = 1", &[], &[]).unwrap_err().to_string();
    assert_eq!(error, "fletchline.toml has a setting `prot` that nothing reads; did you mean `port`?");
    let error = read("colour_of_the_moon = 1", &[], &[]).unwrap_err().to_string();
    assert!(error.contains("--help"), "{error}");
}

#[test]
fn a_value_that_does_not_fit_is_told_with_its_place() {
    let error = read("", &[("FLETCHLINE_PORT", "70000")], &[]).unwrap_err().to_string();
    assert_eq!(error, "port (FLETCHLINE_PORT): \"70000\" does not fit: a port from 0 to 65535 is expected");
    for file in
        ["port = [1]", "memory = \"four\"", "results = \"relative\"", "bind = \"nowhere\"", "cpu = -1", "port ="]
    {
        assert!(read(file, &[], &[]).is_err(), "{file}");
    }
}

#[test]
fn private_hosts_that_may_be_loaded_from_are_a_list_or_a_text_with_commas() {
    let hosts = |file: &str| read(file, &[], &[]).map(|settings| (settings.load_from.clone(), settings));
    for file in ["load_from = [\"nas.local\", \"10.1.0.0/16\"]", "load_from = \" nas.local,10.1.0.0/16, \""] {
        assert_eq!(hosts(file).unwrap().0, ["nas.local", "10.1.0.0/16"], "{file}");
    }
    let (none, settings) = hosts("load_from = []").unwrap();
    assert!(none.is_empty());
    assert_eq!(source(&settings, "load_from"), (String::new(), "fletchline.toml".into()));
    let shown = hosts("load_from = [\"nas.local\", \"10.1.0.0/16\"]").unwrap().1;
    assert_eq!(source(&shown, "load_from").0, "nas.local, 10.1.0.0/16");
    for file in ["load_from = [1]", "load_from = [\"a, b\"]", "load_from = [[\"a\"]]"] {
        let error = hosts(file).unwrap_err().to_string();
        assert_eq!(error, "load_from (fletchline.toml): a list of texts is expected, one for each", "{file}");
    }
}

#[test]
fn volumes_are_named_places_with_an_access() {
    let file = "[volumes.team]\nfolder = \"/srv/team\"\naccess = \"RW\"\n[volumes.data]\nclaim = \"data\"\n";
    let settings = read(file, &[], &[]).unwrap();
    assert_eq!(settings.volumes["team"], Volume { place: Place::Folder("/srv/team".into()), access: Acl::ReadWrite });
    assert_eq!(settings.volumes["data"], Volume { place: Place::Claim("data".into()), access: Acl::ReadOnly });
    assert_eq!(source(&settings, "volumes.team").0, "folder /srv/team, read and write");
    for file in [
        "[volumes.team]\nfolder = \"team\"",
        "[volumes.team]",
        "[volumes.team]\nclaim = \"Team NAS\"",
        "[volumes.team]\nclaim = \"-team\"",
        "[volumes.results]\nfolder = \"/x\"",
        "[volumes.\"../x\"]\nfolder = \"/x\"",
        "[volumes.team]\nfolder = \"/x\"\nacces = \"RW\"",
        "volumes = 3",
    ] {
        assert!(read(file, &[], &[]).is_err(), "{file}");
    }
}

#[test]
fn a_volume_that_is_written_is_read_again_whatever_its_folder_is_called() {
    for place in [Place::Folder("/srv/\"odd\"\nname".into()), Place::claim("team-nas.2".into()).unwrap()] {
        let volume = Volume { place, access: Acl::ReadWrite };
        let settings = read(&format!("port = 1\n{}", volume.written("team")), &[], &[]).unwrap();
        assert_eq!(settings.volumes["team"], volume);
    }
}

#[test]
fn a_volume_that_no_task_can_mount_where_tasks_run_says_what_to_name_instead() {
    let text = "[volumes.here]\nfolder = \"/srv\"\n[volumes.there]\nclaim = \"nas\"\n";
    let settings = read(text, &[], &[]).unwrap();
    let local = volumes::faults(&settings.volumes, RunnerName::Local);
    assert!(local.len() == 1 && local["there"].contains("name a `folder` in fletchline.toml"), "{local:?}");
    let cluster = volumes::faults(&settings.volumes, RunnerName::Kubernetes);
    assert!(cluster.len() == 1 && cluster["here"].contains("name a `claim` in fletchline.toml"), "{cluster:?}");
}

#[test]
fn a_public_address_is_kept_as_a_host_header_has_it() {
    let url = |text: &str| text.parse::<PublicUrl>().map(|url| url.host);
    assert_eq!(url("https://Fletchline.example.org:443/"), Ok("fletchline.example.org".into()));
    assert_eq!(url("http://box:8080"), Ok("box:8080".into()));
    for bad in ["ftp://x", "box", "https://", "https://x/y", "https://a@b"] {
        assert_eq!(url(bad), Err(()), "{bad}");
    }
}

#[test]
fn a_cluster_is_described_by_a_table_of_known_typed_fields() {
    let file = "runner = \"kubernetes\"\n[kubernetes]\nrun_as = \"2000:3000\"\nimages = { job = \"python:3\" }\ntolerations = [{ key = \"gpu\" }]\n";
    let settings = read(file, &[], &[]).unwrap();
    assert_eq!((settings.runner, settings.kubernetes.run_as), (RunnerName::Kubernetes, (2000, 3000)));
    assert_eq!(settings.kubernetes.gpu_resource, "nvidia.com/gpu");
    let told = |name| source(&settings, name);
    let (file, default) = ("fletchline.toml".to_owned(), "default".to_owned());
    assert_eq!(told("kubernetes.images.job"), ("python:3".into(), file.clone()));
    assert_eq!(told("kubernetes.images.viewer"), ("fletchline-python:0.1.0".into(), "beside `image`".into()));
    assert_eq!(told("kubernetes.run_as"), ("2000:3000".into(), file));
    assert_eq!(told("kubernetes.results"), ("fletchline-results".into(), default));
    assert_eq!(read("", &[], &[]).unwrap().runner, RunnerName::Local);
    let wrong = |file: &str| read(file, &[], &[]).unwrap_err().to_string();
    assert_eq!(source(&settings, "kubernetes.new_claims").0, "50 GiB, ReadWriteOnce, the default storage class");
    let file = "[kubernetes.new_claims]\nsize = \"1Ti\"\naccess = \"ReadWriteMany\"\nstorage_class = \"nfs\"";
    let claims = read(file, &[], &[]).unwrap().kubernetes.new_claims.to_string();
    assert_eq!(claims, "1 TiB, ReadWriteMany, storage class nfs");
    assert!(wrong("[kubernetes.new_claims]\naccess = \"all\"").contains("ReadWriteMany"));
    assert!(wrong("[kubernetes]\nprivileged = true").contains("privileged"));
    assert!(wrong("[kubernetes]\nrun_as = \"0:0\"").contains("never runs as root"));
    assert!(wrong("[kubernetes]\nrun_as = \"me\"").contains("user:group"));
    let range = |text: &str| format!("[kubernetes]\nrun_as_range = \"{text}\"");
    let settings = read(&range("2000-2999"), &[], &[]).unwrap();
    assert_eq!(settings.kubernetes.run_as_range, Some(IdRange { first: 2000, last: 2999 }));
    assert!(wrong(&range("0-2999")).contains("is not a range of numbers without 0"));
    assert!(wrong("runner = \"cloud\"").contains("`local` or `kubernetes`"));
}

#[test]
fn a_task_without_an_image_runs_in_ours_from_where_fletchlines_own_comes_from() {
    let images = |image: &str| {
        let file = format!("[kubernetes]\nimage = \"{image}\"\nimages = {{ serving = \"mine:1\" }}");
        read(&file, &[], &[]).unwrap().kubernetes.default_images()
    };
    let found = images("registry.example.org:5000/ml/fletchline:2.0");
    assert_eq!(found[&KindName::Notebook], "registry.example.org:5000/ml/fletchline-python:2.0");
    assert_eq!((found[&KindName::Serving].as_str(), found.get(&KindName::Job)), ("mine:1", None));
    for (image, notebook) in [("host:5000/own", "host:5000/own-python:0.1.0"), ("own@sha256:ab", "own-python:0.1.0")] {
        assert_eq!(images(image)[&KindName::Notebook], notebook);
    }
}

#[test]
fn other_machines_are_let_in_only_under_a_public_address() {
    let flags = |flags: &[(&str, &str)]| {
        let flags = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::read("", |_| None, &flags).map_err(|error| error.to_string())
    };
    let refused = flags(&[("bind", "0.0.0.0")]).unwrap_err();
    assert_eq!(
        refused,
        "bind (--bind): other machines reach 0.0.0.0: say by which address they may ask, with public_url"
    );
    assert!(flags(&[("bind", "0.0.0.0"), ("public_url", "https://fletchline.example.org")]).is_ok());
    assert!(flags(&[("bind", "127.0.0.9")]).is_ok());
}

#[test]
fn the_guide_lists_every_setting_with_its_default() {
    let row = |one: &Setting| {
        let default = if one.default.is_empty() { String::new() } else { format!("`{}`", one.default) };
        format!("| `{}` | {default} | {} |\n", one.name, one.help)
    };
    let rows: String = SETTINGS.iter().map(row).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/settings.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let head = "|---|---|---|\n";
    let begin = guide.find(head).unwrap() + head.len();
    let end = begin + guide[begin..].find("\n\n").unwrap() + 1;
    let current = format!("{}{rows}{}", &guide[..begin], &guide[end..]);
    if std::env::var_os("FLETCHLINE_BLESS").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap();
    assert_eq!(published, current, "run the tests with FLETCHLINE_BLESS=1 to write docs/guide/settings.md again");
}
