//! What do the Python programs' commands look like, without starting any?

use model::{
    Seconds,
    kind::KindName,
    launch::{Need, Work},
};

use super::*;

fn launch(program: Program) -> Launch {
    Launch {
        execution: ExecutionId { pipeline: "p".parse().unwrap(), task: "t".parse().unwrap(), n: 3 },
        run: "r".parse().unwrap(),
        copy: None,
        kind: KindName::Job,
        name: "Train".into(),
        program,
        image: None,
        run_as: None,
        env: BTreeMap::new(),
        addresses: BTreeMap::new(),
        resources: Need::default(),
        mounts: Vec::new(),
        outputs: Vec::new(),
        work: Work::Scratch,
        files: Vec::new(),
        snapshots: Vec::new(),
        copies_json: Vec::new(),
        ports: Vec::new(),
        ready: Ready::Running,
        advance: None,
        grace: Seconds(10),
        timeout: None,
    }
}

fn command(words: &[&str]) -> Program {
    Program::Command { argv: words.iter().map(|word| (*word).to_owned()).collect() }
}

#[test]
fn a_task_speaks_of_python_by_its_command_its_script_or_its_files() {
    let needed = |program: Program| interpreter::is_needed(&launch(program));
    for words in
        [&["python", "x"][..], &["/usr/bin/python3.12", "-c", "1"], &["sh", "-c", "cd /a; pip install b"], &["./x.py"]]
    {
        assert!(needed(command(words)), "{words:?}");
    }
    for words in [&["sh", "-c", "wc -l /data/* > /out/pipes"][..], &["./pythonic"], &["cat", "x.pyc"]] {
        assert!(!needed(command(words)), "{words:?}");
    }
    assert!(needed(Program::Script { text: "exec python -u train.py".into() }));
    assert!(!needed(Program::Stay));
}

#[tokio::test]
async fn a_task_without_python_gets_nothing_and_makes_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let programs = Programs::new(Options { cache: cache.path().join("none"), python: None, key: Key::new([1; 32]) });
    let said = |sentence: String| panic!("{sentence}");
    let answer = programs.command(&launch(command(&["true"])), 1, Path::new("/"), &said).await.unwrap();
    assert_eq!(answer, ProgramCommand::default());
    assert!(!cache.path().join("none").exists());
}

#[test]
fn a_notebook_opens_by_its_path_and_the_link_holds_no_token() {
    let notebook = |open: Option<&str>| Program::Notebook {
        start_path: "/work".into(),
        open: open.map(str::to_owned),
        arguments: Vec::new(),
    };
    assert_eq!(open_path(&notebook(Some("sub/my nb é.ipynb"))), "/lab/tree/sub/my%20nb%20%C3%A9.ipynb?reset");
    assert_eq!(open_path(&notebook(None)), "/lab");
    assert_eq!(open_path(&Program::Viewer), "/");
}

#[test]
fn a_token_is_an_executions_own_and_the_same_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notebook-key");
    let (first, second) = (Key::kept(&file, [1; 32]).unwrap(), Key::kept(&file, [2; 32]).unwrap());
    let one = launch(Program::Stay).execution;
    let other = ExecutionId { n: 4, ..one.clone() };
    assert_eq!(first.token(&one), second.token(&one));
    assert_ne!(first.token(&one), first.token(&other));
    assert_eq!(format!("{first:?}"), "Key(…)");
}

#[tokio::test]
async fn a_setting_that_names_no_environment_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let error = Interpreter::of_setting(folder.path()).await.unwrap_err();
    assert!(error.to_string().ends_with("which has no bin/python: name a venv or conda folder"), "{error}");
}

#[test]
fn the_cache_is_the_users_by_xdg_or_home() {
    let variables = |pairs: &'static [(&str, &str)]| {
        move |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.into())
    };
    let cache = |pairs| default_cache(variables(pairs)).map(|path| path.display().to_string());
    assert_eq!(cache(&[("HOME", "/h")]).as_deref(), Some("/h/.cache/fletchline/python"));
    assert_eq!(cache(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]).as_deref(), Some("/c/fletchline/python"));
    assert_eq!(cache(&[("HOME", "relative")]), None);
}
