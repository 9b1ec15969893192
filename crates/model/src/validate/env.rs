//! Are variables named and valued so that a task can have them, and is no secret written in plain?

use std::collections::BTreeMap;

use super::{
    Of,
    text::{fill, values},
};
use crate::{inherit::Field, kind::KindName, mounts::url_variable, problem::Fix, substitute::is_name, value::EnvValue};

/// Why a variable of this name is refused.
fn refused(name: &str) -> Option<&'static str> {
    match name {
        "LD_PRELOAD" | "LD_AUDIT" => Some("changes every program of the task"),
        "PATH" | "HOME" => Some("is set for every task"),
        _ if name.starts_with("FLETCHLINE_") || name.starts_with("KUBERNETES_") => Some("is set for every task"),
        _ => None,
    }
}

pub(super) fn check(of: &mut Of) {
    let effective = of.effective;
    let values = values(of);
    for (name, field) in &effective.env {
        let at = format!("env.{name}");
        if let Field::Own(value) = field {
            own(of, &at, name, value);
        }
        match field.value() {
            Some(EnvValue::Value(text)) => drop(fill(of, &at, &format!("variable {name}"), text, &values)),
            Some(EnvValue::Secret(secret)) => known_secret(of, &at, name, secret),
            None => {}
        }
    }
    addresses(of);
    let grid = of.task.kind.grid();
    for name in grid.into_iter().flat_map(|grid| grid.keys()) {
        named(of, &format!("copies.{name}"), name, "copies vary");
    }
}

/// Two Servings whose names give one variable: only one of them can be found.
fn addresses(of: &mut Of) {
    let checker = of.checker;
    let upstreams = checker.resolved.order.upstreams(&of.task.id).filter_map(|up| checker.pipeline.tasks.get(up));
    let mut seen = BTreeMap::new();
    for serving in upstreams.filter(|up| up.kind.name() == KindName::Serving) {
        let variable = url_variable(serving.title());
        if let Some(other) = seen.insert(variable.clone(), serving.title()) {
            let rest = format!("finds only one of {other} and {} in {variable}: rename one", serving.title());
            of.warning("", rest);
        }
    }
}

fn own(of: &mut Of, at: &str, name: &str, value: &EnvValue) {
    named(of, at, name, "sets");
    let EnvValue::Value(text) = value else { return };
    if looks_secret(name) && !text.trim().is_empty() && !text.contains("{{") {
        of.warning(at, format!("has {name} in plain text, which everybody who opens the pipeline can read"));
        let (task, variable) = (of.task.id.clone(), name.to_owned());
        of.fix(Fix::MakeSecret { task, variable, label: "Make it a secret".into() });
    }
}

fn named(of: &mut Of, at: &str, name: &str, verb: &str) {
    if !is_name(name) {
        of.problem(at, format!("{verb} \"{name}\", which is no variable's name: use letters, digits and _"));
    } else if let Some(why) = refused(name) {
        of.problem(at, format!("{verb} {name}, which {why}: choose another name"));
    }
}

fn known_secret(of: &mut Of, at: &str, name: &str, secret: &str) {
    if !of.checker.site.secrets.contains(secret) {
        let rest =
            format!("takes {name} from the secret \"{secret}\", which is not there: fletchline secret set {secret}");
        of.problem(at, rest);
    }
}

/// By whole words, so that KEYBOARD and MAX_TOKENS are none.
fn looks_secret(name: &str) -> bool {
    let word = |word: &str| {
        let word = word.to_ascii_uppercase();
        matches!(word.as_str(), "TOKEN" | "KEY" | "PASSWORD" | "PASSWD" | "SECRET" | "APIKEY" | "CREDENTIALS")
            || word.ends_with("PASSWORD")
            || word.ends_with("TOKEN")
    };
    name.split('_').any(word)
}
