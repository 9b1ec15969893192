//! What does a person see in Chromium of what a cluster runs?
//!
//! The scripts of `end2end/cluster`; `cargo xtask test cluster` installs what they need.

use std::{
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{cluster::Cluster, examples::served};

/// A person who was given a link.
pub struct Person {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Person {
    /// Who does what stands in a script.
    pub fn begin(script: &str, link: &str) -> Person {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end/cluster");
        let mut node = Command::new("node");
        let mut child = node.arg(folder.join(script)).arg(link).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Person { child, said }
    }

    /// The next line of what they say; none: they came to their end.
    pub fn says(&mut self) -> Option<String> {
        self.said.next().map(Result::unwrap)
    }

    /// Waits until all was as it should be; their own words are on standard error where it was not.
    pub fn ends_well(mut self) {
        assert_eq!(self.says(), None);
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // Gone already, as a rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub async fn the_manifests_of_a_task_stand_beside_it(cluster: Cluster) {
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let (data, served) = served(&cluster, place.path(), "").await;
    let asked = async |tasks: Value, task: &str| {
        let document = json!({"format": "fletchline/v1", "id": "p", "name": "P", "tasks": tasks, "arrows": []});
        let asked = json!({"document": document.to_string(), "task": task});
        served.ask("pipelines/manifests", asked).await.as_str().unwrap().to_owned()
    };
    let copies = json!({"rate": ["1", "2", "3"], "seed": ["1", "2"]});
    let tasks = json!([
        {"id": "vary", "name": "Vary", "kind": "job", "script": "true", "copies": copies},
        {"id": "watch", "name": "Watch", "kind": "viewer"},
    ]);
    let vary = asked(tasks.clone(), "vary").await;
    assert!(vary.contains(&format!("namespace: {}\n", cluster.namespace())), "{vary}");
    assert_eq!(vary.matches("kind: Pod\n").count(), 1, "{vary}");
    assert!(vary.ends_with("# And 5 more such, one for each copy.\n"), "{vary}");
    let watch = asked(tasks, "watch").await;
    assert!(watch.contains("kind: Deployment\n") && watch.contains("kind: Service\n"), "{watch}");

    let link = String::from_utf8(data.run(&["link"]).stdout).unwrap();
    let link = link.split_whitespace().find(|word| word.contains("/link?code=")).expect("a link");
    Person::begin("manifests.mjs", link).ends_well();
}
