//! Does a document come back as it was written, and is every bad one refused with its place?

use std::time::Instant;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::generate;

fn refused(text: &str) -> String {
    read(text).expect_err("this is not a pipeline").to_string()
}

fn with(fields: Value) -> String {
    let mut document = json!({"format": "fletchline/v1", "id": "p"});
    let fields = fields.as_object().unwrap();
    document.as_object_mut().unwrap().extend(fields.clone());
    document.to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn what_was_written_reads_as_the_same_pipeline_and_writes_the_same_bytes(pipeline in generate::pipeline(8)) {
        let text = write(&pipeline);
        let again = read(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&again.pipeline, &pipeline);
        prop_assert_eq!(write(&again.pipeline), text);
    }

    #[test]
    fn reading_any_text_ends_in_a_pipeline_or_a_sentence(text in any::<String>(), cut in 0..600usize) {
        let _ = read(&text);
        let whole = write(&generate::large(2));
        let end = whole.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(whole.len());
        let broken = format!("{}{text}{}", &whole[..end], &whole[end..]);
        if let Err(error) = read(&broken) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn fields_are_written_in_the_order_of_the_types_and_lists_by_id() {
    let text = with(json!({"name": "Digits", "tasks": [
        {"id": "b", "kind": "job", "name": "B", "script": "true"},
        {"name": "A", "id": "a", "kind": "volume", "volume": "nas", "access": "RW", "mount_path": "/nas"}]}));
    let written = write(&read(&text).unwrap().pipeline);
    let at = |part: &str| written.find(part).unwrap_or_else(|| panic!("{part} is missing in {written}"));
    assert!(at("\"format\"") < at("\"id\": \"p\"") && at("\"id\": \"p\"") < at("\"Digits\""), "{written}");
    assert!(at("\"id\": \"a\"") < at("\"id\": \"b\"") && written.ends_with("}\n"), "{written}");
    assert!(at("\"tasks\"") < at("\"arrows\"") && at("\"groups\"") < at("\"layout\""), "{written}");
}

#[test]
fn unknown_fields_are_kept_at_every_level_and_told_with_their_place() {
    let text = with(json!({
        "colour": "red",
        "parameters": [{"name": "lr", "type": "number", "default": "1", "unit": "m"}],
        "tasks": [{"id": "train", "kind": "job", "name": "Train", "comand": ["x"], "resources": {"cpus": 2},
                   "files": [{"name": "a", "text": "", "mode": 7}]},
                  {"id": "data", "kind": "load_data", "name": "Data", "sources": [{"url": "x", "sha265": "y"}]}],
        "arrows": [{"id": "a", "from_task": "data", "to_task": "train", "label": "x"}],
        "notes": [{"id": "n", "text": "", "font": "x"}],
        "groups": [{"id": "g", "name": "G", "tasks": [], "open": true}],
        "layout": {"tasks": {"train": {"x": 1.0, "y": 2.0, "z": 3}}, "zoom": 2},
    }));
    let read = read(&text).unwrap();
    let written: Value = serde_json::from_str(&write(&read.pipeline)).unwrap();
    assert_eq!(written["layout"]["tasks"]["train"]["z"], 3);
    assert_eq!(written["layout"]["zoom"], 2);
    assert_eq!(written["tasks"][1]["comand"], json!(["x"]));
    let sentences: Vec<&str> = read.warnings.iter().map(|warning| warning.sentence.as_str()).collect();
    assert_eq!(sentences.len(), 11, "{sentences:#?}");
    for expected in [
        "Train has a field `comand` that nothing reads; did you mean `command`?",
        "Train's resources has a field `cpus` that nothing reads; did you mean `cpu`?",
        "Data's sources[0] has a field `sha265` that nothing reads; did you mean `sha256`?",
        "The pipeline has a field `colour` that nothing reads",
        "The place of train has a field `z` that nothing reads; did you mean `x`?",
    ] {
        assert!(sentences.contains(&expected), "{expected} is missing in {sentences:#?}");
    }
}

#[test]
fn a_broken_text_is_told_with_line_and_column() {
    let text = "{\n  \"format\": \"fletchline/v1\",\n  \"é\": ,\n}";
    assert_eq!(refused(text), "Line 3, column 8: expected value");
    assert_eq!(refused(r#"{"format": "\ud800"}"#).split(": ").next(), Some("Line 1, column 19"));
    let twice = refused("{\"format\": \"fletchline/v1\",\n \"id\": \"a\", \"id\": \"b\"}");
    assert!(twice.starts_with("Line 2, column ") && twice.ends_with("the field `id` is there twice"), "{twice}");
    assert!(refused(r#"{"x": 1e400}"#).ends_with("number out of range"));
}

#[test]
fn a_wrong_shape_is_told_with_the_field() {
    let task = |task: Value| refused(&with(json!({"tasks": [{"id": "a", "kind": "job", "name": "A"}, task]})));
    assert_eq!(
        task(json!({"id": "b", "kind": "job", "name": "B", "command": "python"})),
        "tasks[1].command: a list is expected, not the text \"python\""
    );
    assert_eq!(
        task(json!({"id": "b", "kind": "job", "name": "B", "resources": {"memory": "1Zi"}})),
        "tasks[1].resources.memory: \"1Zi\" is not an amount of memory: write for example 512 MiB or 4 GiB"
    );
    assert_eq!(
        task(json!({"id": "b", "kind": "container", "name": "B", "advance": {"by": "time", "second": 5}})),
        "tasks[1].advance: nothing here is called `second`"
    );
    assert!(task(json!({"id": "b", "kind": "jab", "name": "B"})).starts_with("tasks[1].kind: \"jab\" is not a kind"));
    assert_eq!(task(json!({"id": "a", "kind": "job", "name": "B"})), "tasks[1].id: the id \"a\" is there twice");
    assert!(task(json!({"id": "../x", "kind": "job", "name": "B"})).starts_with("tasks[1]: \"../x\" is not an id"));
    assert_eq!(task(json!(7)), "tasks[1]: an object is expected, not the number 7");
    let arrow = json!({"arrows": [{"id": "x", "from_task": "a", "to_task": "b"}]});
    assert_eq!(refused(&with(arrow)), "arrows[0].from_task: there is no task with the id \"a\"");
    assert!(refused(&with(json!({"layout": {"tasks": {"a": {"x": null, "y": 1}}}}))).starts_with("layout.tasks.a"));
}

#[test]
fn ids_such_as_proto_are_no_ids() {
    let text = with(json!({"tasks": [{"id": "__proto__", "kind": "job", "name": "A"}]}));
    assert!(refused(&text).contains("is not an id"));
}

#[test]
fn a_foreign_file_is_told_what_it_is_not() {
    assert_eq!(refused("[]"), "This is not a Fletchline pipeline: it is not a JSON object");
    assert_eq!(refused("{}"), "This is not a Fletchline pipeline: it has no field `format`");
    assert_eq!(
        refused(r#"{"nodes": [], "connections": {}}"#),
        "This is not a Fletchline pipeline: it looks like an n8n workflow"
    );
    assert_eq!(refused(r#"{"format": "x"}"#), "This is not a Fletchline pipeline: its format is \"x\"");
    assert_eq!(refused(r#"{"format": 3}"#), "This is not a Fletchline pipeline: its format is no text");
    assert!(refused("PK\u{3}\u{4}rest").contains("it is a zip file"));
}

#[test]
fn a_newer_version_is_refused_with_a_sentence() {
    assert_eq!(
        refused(r#"{"format": "fletchline/v2", "id": "p"}"#),
        "This pipeline was written by a newer Fletchline (document version 2; this one reads up to 1): update this one"
    );
}

#[test]
fn bombs_are_refused_quickly() {
    let start = Instant::now();
    assert_eq!(read(&" ".repeat(100 << 20)), Err(ReadError::TooLarge));
    assert!(refused(&"[".repeat(100_000)).contains("recursion limit"));
    let keys: String = (0..1_000_000).map(|key| format!("\"{key}\":0,")).collect();
    assert!(refused(&format!("{{{keys}\"x\":0}}")).contains("more than 50,000 fields"));
    let tasks = "{},".repeat(1_000_000);
    assert!(refused(&format!("{{\"tasks\":[{tasks}{{}}]}}")).contains("more than 50,000 entries"));
    let deep = format!("[{}0]", "[0,0,0,0,0,0,0,0,0],".repeat(45_000));
    let wide = [deep.as_str(); 3].join(",");
    assert!(refused(&format!("[{wide}]")).contains("more than 1,000,000 values"));
    // Mostly the making of the texts, unoptimised; each is refused in far less.
    assert!(start.elapsed().as_secs() < 30);
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/pipeline.schema.json");
    let current = schema();
    if std::env::var_os("FLETCHLINE_BLESS").is_some() {
        std::fs::write(path, serde_json::to_string_pretty(&current).unwrap() + "\n").unwrap();
    }
    let published: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(published, current, "run the tests with FLETCHLINE_BLESS=1 to write docs/pipeline.schema.json again");
}
