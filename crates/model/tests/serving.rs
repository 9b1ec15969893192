//! Is the generation of a Serving's files told from their syntax, however they are written?

use model::{
    kind::{File, Framework},
    serving::{Generation, Request, generation, lint, read, request, template},
};

const FRAMEWORKS: [Framework; 6] = [
    Framework::Pytorch,
    Framework::Tensorflow,
    Framework::ScikitLearn,
    Framework::Xgboost,
    Framework::Onnx,
    Framework::Custom,
];

fn told(text: &str) -> Option<Generation> {
    read(text).generation
}

fn file(name: &str, text: &str) -> File {
    File { name: name.into(), text: text.into(), unknown: Default::default() }
}

#[test]
fn every_template_is_of_the_generation_it_is_offered_for_and_has_no_finding() {
    for framework in FRAMEWORKS {
        for wanted in [Generation::Current, Generation::Bento11] {
            let files = template(framework, wanted);
            assert_eq!(generation(&files), wanted, "{framework:?}");
            assert_eq!(lint(&files), [], "{framework:?} {wanted:?}");
        }
    }
}

#[test]
fn a_class_under_the_decorator_is_current_however_bentoml_was_imported() {
    for text in [
        "import bentoml\n@bentoml.service\nclass A: ...",
        "import bentoml as b\n@b.service(name='x')\nclass A: ...",
        "from bentoml import service as s\n\n@s(\n  workers=1, # (\n)\nclass A:\n  pass",
        "from bentoml import (\n  api,\n  service,\n)\n@service\nclass A: ...",
        "try: import bentoml\nexcept ImportError: raise\n@bentoml.service\n@other\nclass A: ...",
        "import os, bentoml; x = 1\n@bentoml \\\n .service\nclass A: ...",
        "\u{feff}import bentoml\r\n@bentoml.service\r\nclass A:\r\n  pass\r\n",
    ] {
        assert_eq!(told(text), Some(Generation::Current), "{text}");
        assert_eq!(read(text).services, ["A"], "{text}");
    }
}

#[test]
fn a_service_object_with_runners_is_1_1() {
    let text =
        "import bentoml as bm\nrunner = bm.sklearn.get('m').to_runner()\nsvc = bm.Service('m', runners=[runner])";
    let reading = read(text);
    assert_eq!(
        (reading.generation, reading.services.as_slice()),
        (Some(Generation::Bento11), ["svc".into()].as_slice())
    );
    assert_eq!(reading.sentence(), "service.py is for BentoML 1.1 (line 3: bentoml.Service(…))");
    assert_eq!(told("from bentoml import Service\nsvc = Service('m')"), Some(Generation::Bento11));
    assert_eq!(told("from bentoml import *\nsvc = Service('m')"), Some(Generation::Bento11));
    assert_eq!(
        told("from bentoml.io import JSON\n@svc.api(input=JSON(), output=JSON())\ndef f(x): ..."),
        Some(Generation::Bento11)
    );
}

#[test]
fn the_old_way_of_writing_through_legacy_runs_in_the_current_environment() {
    let text = "import bentoml\nfrom bentoml.io import JSON\nr = bentoml.sklearn.get('m').to_runner()\nsvc = bentoml.legacy.Service('m', runners=[r])";
    assert_eq!((told(text), read(text).against), (Some(Generation::Current), None));
}

#[test]
fn comments_strings_and_namesakes_count_for_nothing() {
    for text in [
        "",
        "# import bentoml\n# @bentoml.service\nclass A: ...",
        "'''\nimport bentoml\n@bentoml.service\n'''\nclass A: ...",
        "import bentoml\nx = \"@bentoml.service\\\"\" + r'\\\\' + 'bentoml.Service('",
        "class Service: ...\nsvc = Service('m')\n@svc.api(1)\ndef f(): ...",
        "from mine import service\n@service\nclass A: ...",
        "from .bentoml import Service\nsvc = Service('m')",
        "import bentoml\nx.bentoml.Service('m')",
        "import bentoml\nprint(bentoml.__version__)",
    ] {
        assert_eq!(told(text), None, "{text}");
    }
}

#[test]
fn half_typed_files_are_read_without_failing() {
    let whole = template(Framework::Custom, Generation::Bento11)[1].text.clone() + "x = '''ü\\";
    for end in whole.char_indices().map(|(at, _)| at) {
        read(&whole[..end]);
    }
}

#[test]
fn a_file_of_both_generations_is_a_finding_that_names_both_lines() {
    let text = "import bentoml\nsvc = bentoml.Service('m')\n@bentoml.service\nclass A: ...";
    let findings = lint(&[file("service.py", text), file("bentofile.yaml", "service: service:A\n")]);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].line, Some(2));
    assert!(findings[0].sentence.contains("1.4 (line 3: @bentoml.service) with 1.1 (line 2"), "{findings:?}");
}

#[test]
fn a_missing_file_and_a_service_that_is_not_there_are_findings() {
    let service = file("service.py", "import bentoml\n@bentoml.service\nclass Digits: ...");
    let sentences = |files: &[File]| lint(files).into_iter().map(|finding| finding.sentence).collect::<Vec<_>>();
    assert_eq!(sentences(std::slice::from_ref(&service)), ["bentofile.yaml is missing: create it from the template"]);
    let yaml = file("bentofile.yaml", "labels: {}\nservice: \"service:digits\" # here\n");
    assert_eq!(
        sentences(&[service.clone(), yaml]),
        ["bentofile.yaml names the service \"digits\", and service.py defines Digits"]
    );
    assert_eq!(sentences(&[service, file("bentofile.yaml", "service: 'service.py:Digits'")]), [""; 0]);
}

#[test]
fn what_a_program_sends_is_told_by_the_first_function_that_answers() {
    for framework in FRAMEWORKS {
        let ask = |wanted| request(&template(framework, wanted)).map(|Request { route, body }| (route, body));
        assert_eq!(ask(Generation::Current), Some(("predict".into(), "{\"x\": …}".into())), "{framework:?}");
        assert_eq!(ask(Generation::Bento11), Some(("predict".into(), "…".into())), "{framework:?}");
    }
    let asked = |text: &str| request(&[file("service.py", text)]).map(|asked| (asked.route, asked.body));
    let text = "import bentoml as b\n@b.service\nclass A:\n  def help(self): ...\n  @b.api(batchable=True)\n  @traced\n  \
        async def add(self, one: dict[str, int] = {'a': 1}, two: int = max(1, 2), *, ctx: b.Context) -> int: ...";
    assert_eq!(asked(text), Some(("add".into(), "{\"one\": …, \"two\": …}".into())));
    for half in [
        "",
        "import bentoml\n@bentoml.api",
        "@bentoml.api\ndef",
        "@bentoml.api\nx = 1",
        "@bentoml.api(route='/a')\ndef f(): ...",
    ] {
        assert_eq!(asked(half), None, "{half}");
    }
    assert_eq!(request(&[]), None);
}
