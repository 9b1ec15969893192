//! What is wrong between tasks, and with the pipeline's own settings?

use std::collections::BTreeMap;

use super::Checker;
use crate::{
    id::TaskId,
    kind::Kind,
    mounts,
    pipeline::{Acl, Parameter, ParameterType},
    problem::{At, Fix, Problem},
    site::RunnerName,
    substitute::is_name,
};

/// What stops every run that runs anything, or may.
pub(super) fn installation(checker: &Checker, found: &mut Vec<Problem>) {
    let faults = &checker.site.faults;
    found.extend(faults.all.iter().map(|sentence| Problem::problem(At::pipeline(""), sentence)));
    let unknown = faults.unknown.iter().map(|why| format!("Whether tasks can begin is not known · {why}"));
    found.extend(unknown.map(|sentence| Problem::warning(At::pipeline(""), sentence)));
}

pub(super) fn parameters(checker: &Checker, found: &mut Vec<Problem>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (index, one) in checker.pipeline.settings.parameters.iter().enumerate() {
        let mut problem = |field: &str, sentence: String| {
            found.push(Problem::problem(At::pipeline(format!("parameters[{index}].{field}")), sentence));
        };
        if !is_name(&one.name) {
            problem("name", format!("\"{}\" is no parameter's name: use letters, digits and _", one.name));
        }
        // Programs read FLETCHLINE_PARAM_LR, which has one spelling.
        match seen.insert(one.name.to_ascii_uppercase(), &one.name) {
            Some(other) if other == one.name => problem("name", format!("There are two parameters named {other}")),
            Some(other) => {
                problem("name", format!("{} and {other} differ only in capitals, which variables cannot", one.name))
            }
            None => {}
        }
        if let Some(wanted) = misfit(one, &one.default) {
            problem("default", format!("{}'s default \"{}\" is not {wanted}", one.name, one.default));
        }
        if let Some(given) = checker.given.get(&one.name)
            && let Some(wanted) = misfit(one, given)
        {
            problem("", format!("{} is \"{given}\", which is not {wanted}", one.name));
        }
    }
    for name in checker.given.keys().filter(|name| !checker.parameters.contains_key(*name)) {
        found.push(Problem::problem(At::pipeline("parameters"), format!("There is no parameter named {name}")));
    }
}

/// What it should be, if it is not.
fn misfit(parameter: &Parameter, text: &str) -> Option<&'static str> {
    let (good, wanted) = match parameter.kind {
        ParameterType::Text => (!text.contains('\0'), "a text that a program can be given"),
        ParameterType::Integer => (text.parse::<i64>().is_ok(), "a whole number"),
        ParameterType::Number => (text.parse::<f64>().is_ok_and(f64::is_finite), "a number"),
        ParameterType::Boolean => (matches!(text, "true" | "false"), "true or false"),
    };
    (!good).then_some(wanted)
}

/// At the arrow that closes the ring: removing it opens the ring.
pub(super) fn cycles(checker: &Checker, found: &mut Vec<Problem>) {
    for ring in checker.resolved.order.cycles() {
        let (Some(first), Some(last)) = (ring.first(), ring.last()) else { continue };
        let mut closing = checker.resolved.order.arrows_into(first).iter();
        let Some(closing) = closing.find(|arrow| arrow.from_task == *last) else { continue };
        let sentence = match ring.as_slice() {
            [one] => format!("{} waits for itself", checker.title(one)),
            _ => {
                let titles: Vec<String> = ring.iter().chain([first]).map(|task| checker.title(task)).collect();
                format!("These tasks wait for each other, so none can start: {}", titles.join(" → "))
            }
        };
        let fix = Fix::RemoveArrow { arrow: closing.id.clone(), label: "Remove the arrow".into() };
        found.push(Problem::problem(At::arrow(&closing.id, ""), sentence).with_fix(fix));
    }
}

/// Tasks that write to one folder of a volume and may run at once. In the order of the run it is enough to compare
/// neighbours: if each is before the next, all are in a row.
pub(super) fn writers(checker: &Checker, found: &mut Vec<Problem>) {
    let mut by_folder: BTreeMap<(String, Option<String>), Vec<&TaskId>> = BTreeMap::new();
    for task in checker.resolved.order.sorted() {
        for mount in mounts::shared(checker.pipeline, checker.site, &checker.resolved, task) {
            if mount.acl == Acl::ReadWrite {
                let tasks = by_folder.entry((mount.id, mount.sub_path)).or_default();
                if tasks.last() != Some(&task) {
                    tasks.push(task);
                }
            }
        }
    }
    for ((volume, folder), tasks) in by_folder {
        let pair = tasks.windows(2).find(|pair| !checker.resolved.order.is_before(pair[0], pair[1]));
        if let Some([one, other]) = pair {
            let place = folder.map(|folder| format!("{folder} on ")).unwrap_or_default();
            let titles = (checker.title(one), checker.title(other));
            let sentence = format!("{} and {} may run at once and both write to {place}{volume}", titles.0, titles.1);
            found.push(Problem::warning(At::task(other, "volumes"), sentence));
        }
    }
}

/// On one machine each program needs a port of its own.
pub(super) fn serving_ports(checker: &Checker, found: &mut Vec<Problem>) {
    let mut seen: BTreeMap<u16, &TaskId> = BTreeMap::new();
    if checker.site.runner != RunnerName::Local {
        return;
    }
    for task in checker.pipeline.tasks.values() {
        let Kind::Serving(serving) = &task.kind else { continue };
        let Some(port) = serving.port else { continue };
        if let Some(other) = seen.insert(port, &task.id) {
            let sentence = format!("{} and {} would both listen on port {port}", checker.title(other), task.title());
            let fix = Fix::SetField {
                task: task.id.clone(),
                field: "port".into(),
                value: serde_json::Value::Null,
                label: "Any free port".into(),
            };
            found.push(Problem::problem(At::task(&task.id, "port"), sentence).with_fix(fix));
        }
    }
}
